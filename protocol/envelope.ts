/**
 * One place that writes and reads payloads. Everything but preview and snapshot, which are bare JPEG pictures, is an envelope in JSON:
 * `{"v":1,"session":{…},"sequence":7,"sentAt":"…","body":{…}}`; downward without session and sequence.
 */
import { type Static, type TSchema, Type } from 'typebox';
import { type Check, compile } from '#protocol/compile.ts';
import { Session, Timestamp } from '#protocol/identifiers.ts';
import {
  Applied,
  Command,
  CommandProgress,
  CommandResult,
  Desired,
  Event,
  EventAck,
  Health,
  HealthBacklog,
  Hello,
  LogLines,
  Presence,
  Report,
  UnjudgedDesired,
} from '#protocol/messages.ts';
import { type DownwardTopic, downwardTopics, type UpwardTopic, upwardTopics } from '#protocol/topics.ts';

export const protocolVersion = 1;

/** What is sent as it is. */
export const pictureTopics = ['preview', 'snapshot'] as const satisfies readonly UpwardTopic[];
export type PictureTopic = (typeof pictureTopics)[number];

export function isPictureTopic(name: UpwardTopic): name is PictureTopic {
  return pictureTopics.some((topic) => topic === name);
}

export const upwardBodies = {
  presence: Presence,
  hello: Hello,
  report: Report,
  health: Health,
  'health-backlog': HealthBacklog,
  event: Event,
  log: LogLines,
  applied: Applied,
  'command-progress': CommandProgress,
  'command-result': CommandResult,
} as const satisfies Record<Exclude<UpwardTopic, PictureTopic>, TSchema>;

export const downwardBodies = {
  desired: Desired,
  command: Command,
  'event-ack': EventAck,
} as const satisfies Record<DownwardTopic, TSchema>;

export type UpwardName = keyof typeof upwardBodies;
export type DownwardName = keyof typeof downwardBodies;
export type UpwardBody<N extends UpwardName> = Static<(typeof upwardBodies)[N]>;
export type DownwardBody<N extends DownwardName> = Static<(typeof downwardBodies)[N]>;

export type UpwardEnvelope<N extends UpwardName = UpwardName> = {
  readonly v: 1;
  readonly session: Session;
  /** Grows by one a message within a session; order is (session.counter, sequence), never the device's clock. */
  readonly sequence: number;
  readonly sentAt: string;
  readonly body: UpwardBody<N>;
};
export type DownwardEnvelope<N extends DownwardName = DownwardName> = {
  readonly v: 1;
  readonly sentAt: string;
  readonly body: DownwardBody<N>;
};

export type ProtocolProblem = {
  readonly kind: 'problem';
  readonly code: 'too-large' | 'not-json' | 'wrong-version' | 'wrong-shape' | 'not-a-jpeg';
  /** What was expected and what came; never a value of the payload, which may be a secret. */
  readonly message: string;
};
export type Decoded<E> = { readonly kind: 'message'; readonly envelope: E } | ProtocolProblem;

const upFrame = {
  v: Type.Literal(protocolVersion),
  session: Session,
  sequence: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  sentAt: Timestamp,
};
const downFrame = { v: Type.Literal(protocolVersion), sentAt: Timestamp };

/** A check without the type that it proves: the callers know it. */
type Shape = Pick<Check, 'Errors'> & { Check(value: unknown): boolean };

function checks<N extends string>(bodies: Record<N, TSchema>, frame: Record<string, TSchema>): Record<N, Shape> {
  const entries = Object.entries<TSchema>(bodies).map(([name, body]) => [
    name,
    compile(`envelope-${name}`, Type.Object({ ...frame, body })),
  ]);
  return Object.fromEntries(entries);
}
const upwardChecks = checks(upwardBodies, upFrame);
const downwardChecks = checks(downwardBodies, downFrame);

const UnjudgedDesiredEnvelope = Type.Object({ ...downFrame, body: UnjudgedDesired });
type UnjudgedDesiredEnvelope = Static<typeof UnjudgedDesiredEnvelope>;
const unjudgedDesired = compile('envelope-unjudged-desired', UnjudgedDesiredEnvelope);

export function encodeUpward<N extends UpwardName>(
  _name: N,
  fields: { readonly session: Session; readonly sequence: number; readonly sentAt: string; readonly body: UpwardBody<N> },
): string {
  return JSON.stringify({ v: protocolVersion, ...fields } satisfies UpwardEnvelope<N>);
}

export function encodeDownward<N extends DownwardName>(
  _name: N,
  fields: { readonly sentAt: string; readonly body: DownwardBody<N> },
): string {
  return JSON.stringify({ v: protocolVersion, ...fields } satisfies DownwardEnvelope<N>);
}

export function decodeUpward<N extends UpwardName>(name: N, payload: Uint8Array): Decoded<UpwardEnvelope<N>> {
  return decode(upwardChecks[name], upwardTopics[name].maxBytes, payload) as Decoded<UpwardEnvelope<N>>;
}

export function decodeDownward<N extends DownwardName>(name: N, payload: Uint8Array): Decoded<DownwardEnvelope<N>> {
  return decode(downwardChecks[name], downwardTopics[name].maxBytes, payload) as Decoded<DownwardEnvelope<N>>;
}

/** As a device reads it: it judges the values itself, and says which of them it refuses. */
export function decodeDesired(payload: Uint8Array): Decoded<UnjudgedDesiredEnvelope> {
  return decode(unjudgedDesired, downwardTopics.desired.maxBytes, payload) as Decoded<UnjudgedDesiredEnvelope>;
}

/** Undefined when the payload is a JPEG picture within its limit. */
export function checkPicture(name: PictureTopic, payload: Uint8Array): ProtocolProblem | undefined {
  const { maxBytes } = upwardTopics[name];
  if (payload.byteLength > maxBytes) return tooLarge(maxBytes, payload.byteLength);
  if (payload[0] === 0xff && payload[1] === 0xd8 && payload[2] === 0xff) return undefined;
  return { kind: 'problem', code: 'not-a-jpeg', message: 'expected a JPEG picture, got something else' };
}

const textDecoder = new TextDecoder('utf-8', { fatal: true });

function decode(check: Shape, maxBytes: number, payload: Uint8Array): Decoded<unknown> {
  if (payload.byteLength > maxBytes) return tooLarge(maxBytes, payload.byteLength);
  let value: unknown;
  try {
    value = JSON.parse(textDecoder.decode(payload));
  } catch (cause) {
    // The parser's own message quotes the payload, which may hold a secret: only its kind is passed on.
    const kind = cause instanceof SyntaxError ? 'text that is not JSON' : 'bytes that are not UTF-8';
    return { kind: 'problem', code: 'not-json', message: `expected an envelope in JSON, got ${kind} (${payload.byteLength} bytes)` };
  }
  if (check.Check(value)) return { kind: 'message', envelope: value };
  const version: unknown = typeof value === 'object' && value !== null && 'v' in value ? value.v : undefined;
  if (typeof version === 'number' && version !== protocolVersion) {
    return {
      kind: 'problem',
      code: 'wrong-version',
      message: `expected protocol version ${protocolVersion}, got ${version}: upgrade the older side`,
    };
  }
  const first = check.Errors(value)[0];
  const where = first === undefined || first.instancePath === '' ? 'the envelope' : first.instancePath;
  return { kind: 'problem', code: 'wrong-shape', message: `${where} ${first?.message ?? 'does not fit its schema'}` };
}

function tooLarge(maxBytes: number, cameBytes: number): ProtocolProblem {
  return { kind: 'problem', code: 'too-large', message: `expected at most ${maxBytes} bytes, got ${cameBytes}` };
}
