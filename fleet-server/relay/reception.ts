/**
 * From one reading of the statistics to the next: which devices are being received. A stream that only players wait for, and one
 * whose publisher sends nothing any more, is not received, whatever nginx still lists.
 */

import type { Moment } from '#fleet-server/clock.ts';
import type { RelayStream } from '#fleet-server/relay/statistics.ts';
import type { RelayReception } from '#protocol/model/device.ts';

/** A publisher that sends nothing for longer than this is not received any more. */
export const silenceMs = 3000;
/** Over how long the bitrate is taken; nginx's own figure lags by ten seconds. */
const bitrateWindowMs = 5000;
const maxReadings = 12;

/** `atMs` and `grewAtMs` are for measuring: a clock that is set back must not keep a silent publisher on the air. */
type Reading = { readonly atMs: number; readonly bytesIn: number };
type Followed = {
  readonly connectionId: number;
  readonly sinceMs: number;
  readonly grewAtMs: number;
  readonly readings: readonly Reading[];
};

export type ReceptionState = ReadonlyMap<string, Followed>;
export const noReception: ReceptionState = new Map();

export type ReceptionStep = { readonly state: ReceptionState; readonly receptions: ReadonlyMap<string, RelayReception> };

export function followReception(before: ReceptionState, streams: readonly RelayStream[], moment: Moment): ReceptionStep {
  const state = new Map<string, Followed>();
  const receptions = new Map<string, RelayReception>();
  for (const stream of streams) {
    if (stream.publisher === null) continue;
    const followed = follow(before.get(stream.name), stream, stream.publisher, moment);
    state.set(stream.name, followed);
    const isReceived = stream.bytesIn > 0 && moment.monotonicMs - followed.grewAtMs <= silenceMs;
    if (isReceived) receptions.set(stream.name, toReception(stream, followed));
  }
  return { state, receptions };
}

function follow(
  before: Followed | undefined,
  stream: RelayStream,
  publisher: NonNullable<RelayStream['publisher']>,
  { nowMs, monotonicMs }: Moment,
): Followed {
  const reading = { atMs: monotonicMs, bytesIn: stream.bytesIn };
  const last = before?.readings.at(-1);
  if (before === undefined || last === undefined || before.connectionId !== publisher.connectionId || stream.bytesIn < last.bytesIn) {
    const { connectionId, connectedForMs } = publisher;
    return { connectionId, sinceMs: nowMs - connectedForMs, grewAtMs: monotonicMs, readings: [reading] };
  }
  const readings = [...before.readings, reading].filter(({ atMs }) => monotonicMs - atMs <= bitrateWindowMs).slice(-maxReadings);
  return { ...before, grewAtMs: stream.bytesIn > last.bytesIn ? monotonicMs : before.grewAtMs, readings };
}

function toReception(stream: RelayStream, { sinceMs, readings }: Followed): RelayReception {
  const first = readings[0];
  const last = readings.at(-1);
  const elapsedMs = first === undefined || last === undefined ? 0 : last.atMs - first.atMs;
  const bits = first === undefined || last === undefined ? 0 : (last.bytesIn - first.bytesIn) * 8;
  return {
    receivingSince: new Date(sinceMs).toISOString(),
    bitrateKbps: elapsedMs > 0 ? Math.round(bits / elapsedMs) : 0,
    bytesReceived: stream.bytesIn,
    width: stream.video?.width ?? null,
    height: stream.video?.height ?? null,
    framesPerSecond: stream.video?.framesPerSecond ?? null,
    videoCodec: stream.video?.codec ?? null,
    audioCodec: stream.audioCodec,
    viewers: stream.players,
  };
}
