/** Reads the XML of nginx-rtmp's statistics page. */
import { XMLParser } from 'fast-xml-parser';
import { type Static, type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { relayApplication } from '#fleet-server/relay/nginx-config.ts';

export type RelayStream = {
  readonly name: string;
  /** Since the stream's entry came to be: it outlives a publisher while players wait. */
  readonly bytesIn: number;
  readonly publisher: { readonly connectionId: number; readonly connectedForMs: number } | null;
  readonly players: number;
  readonly video: {
    readonly width: number;
    readonly height: number;
    readonly framesPerSecond: number | null;
    readonly codec: string;
  } | null;
  readonly audioCodec: string | null;
};

const parser = new XMLParser({
  parseTagValue: false,
  isArray: (name) => name === 'server' || name === 'application' || name === 'stream' || name === 'client',
});

const Count = Type.String({ pattern: '^\\d{1,15}$' });
// An element without content comes as an empty text.
const Maybe = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Literal('')]));
const StreamXml = Type.Object({
  name: Type.String(),
  bytes_in: Count,
  client: Type.Optional(Type.Array(Type.Object({ id: Count, time: Count, publishing: Type.Optional(Type.String()) }))),
  meta: Maybe(
    Type.Object({
      video: Maybe(
        Type.Object({ width: Count, height: Count, frame_rate: Type.Optional(Type.String()), codec: Type.Optional(Type.String()) }),
      ),
      audio: Maybe(Type.Object({ codec: Type.Optional(Type.String()) })),
    }),
  ),
});
const StatisticsXml = Type.Object({
  rtmp: Type.Object({
    server: Maybe(
      Type.Array(
        Type.Object({
          application: Type.Optional(
            Type.Array(Type.Object({ name: Type.String(), live: Maybe(Type.Object({ stream: Type.Optional(Type.Array(StreamXml)) })) })),
          ),
        }),
      ),
    ),
  }),
});
type StatisticsXml = Static<typeof StatisticsXml>;
const validator = Compile(StatisticsXml);

/** Every stream of the relay's application. Throws when the text is not what nginx-rtmp writes. */
export function parseStatistics(xml: string): RelayStream[] {
  const value: unknown = parser.parse(xml);
  if (!validator.Check(value)) {
    const first = validator.Errors(value)[0];
    throw new Error(`expected the statistics of nginx-rtmp, got something else: ${first?.instancePath ?? ''} ${first?.message ?? ''}`);
  }
  const servers = (value as StatisticsXml).rtmp.server;
  if (servers === undefined || servers === '') return [];
  const applications = servers.flatMap((server) => server.application ?? []).filter(({ name }) => name === relayApplication);
  return applications.flatMap(({ live }) => (live === undefined || live === '' ? [] : (live.stream ?? []))).map(toStream);
}

function toStream(xml: Static<typeof StreamXml>): RelayStream {
  const clients = xml.client ?? [];
  const publisher = clients.find(({ publishing }) => publishing !== undefined);
  const { video, audio } = xml.meta === undefined || xml.meta === '' ? {} : xml.meta;
  return {
    name: xml.name,
    bytesIn: Number(xml.bytes_in),
    publisher: publisher === undefined ? null : { connectionId: Number(publisher.id), connectedForMs: Number(publisher.time) },
    players: clients.filter((client) => client !== publisher).length,
    video: video === undefined || video === '' || Number(video.width) === 0 ? null : toVideo(video),
    audioCodec: audio === undefined || audio === '' ? null : (audio.codec ?? null),
  };
}

function toVideo(video: { width: string; height: string; frame_rate?: string; codec?: string }): RelayStream['video'] {
  const framesPerSecond = Number(video.frame_rate ?? 0);
  return {
    width: Number(video.width),
    height: Number(video.height),
    framesPerSecond: framesPerSecond > 0 ? framesPerSecond : null,
    codec: video.codec ?? 'unknown',
  };
}
