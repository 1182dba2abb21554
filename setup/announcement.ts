/** What the fleet server and the agent tell the program that started them, and what that program tells the person. */
import { networkInterfaces } from 'node:os';
import { type Static, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';

const FleetServerReady = Type.Object({
  kind: Type.Literal('ready'),
  /** At which programs on this machine reach it. */
  url: Type.String(),
  /** Only on the very first start: it is made then and known to nobody else. */
  firstAdminPassword: Type.Optional(Type.String()),
});
export type FleetServerReady = Static<typeof FleetServerReady>;

const AgentReady = Type.Object({
  kind: Type.Literal('ready'),
  deviceId: Type.Union([Type.String(), Type.Null()]),
  /** What is on air, in words: a camera's name, or the test picture. */
  source: Type.String(),
});
export type AgentReady = Static<typeof AgentReady>;

const PlaybackAnswer = Type.Object({ kind: Type.Literal('playback'), rtmp: Type.String() });
export type PlaybackAnswer = Static<typeof PlaybackAnswer>;

const KnownAnswer = Type.Object({ kind: Type.Literal('is-known'), isKnown: Type.Boolean() });
export type KnownAnswer = Static<typeof KnownAnswer>;

function parse<S extends TSchema>(schema: S, message: unknown): Static<S> | undefined {
  return Value.Check(schema, message) ? message : undefined;
}
export const parseFleetServerReady = (message: unknown): FleetServerReady | undefined => parse(FleetServerReady, message);
export const parseAgentReady = (message: unknown): AgentReady | undefined => parse(AgentReady, message);
export const parseKnownAnswer = (message: unknown): KnownAnswer | undefined => parse(KnownAnswer, message);
export const parsePlaybackAnswer = (message: unknown): PlaybackAnswer | undefined => parse(PlaybackAnswer, message);

/** The addresses at which others in the same network reach this machine, IPv4 first because people type them. */
function networkAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flat()
    .filter((address) => address !== undefined && !address.internal && address.family === 'IPv4')
    .map((address) => address?.address ?? '');
}

export function welcomeLines(server: FleetServerReady, agent: AgentReady, playback: PlaybackAnswer): readonly string[] {
  const { port } = new URL(server.url);
  const elsewhere = networkAddresses().map((address) => `http://${address}:${port}`);
  const password =
    server.firstAdminPassword === undefined
      ? 'with the password of the first start (npm run admin-password makes a new one)'
      : `with the password ${server.firstAdminPassword} (made now, shown only here)`;
  return [
    '',
    'MakeSpaceLive runs.',
    `  Dashboard  ${server.url}${elsewhere.length === 0 ? '' : `, in this network ${elsewhere.join(', ')}`}`,
    `  Sign in    as admin, ${password}`,
    `  On air     ${agent.source}`,
    `  Stream     ${playback.rtmp}`,
    '             (opens in ffplay or VLC for the next minutes; the dashboard gives new addresses)',
    '  Ctrl-C stops everything.',
    '',
  ];
}
