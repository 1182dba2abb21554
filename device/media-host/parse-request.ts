/**
 * A line of the agent's as a request. Written by hand, in step with the schema `HostRequest` (a test compares the two): the
 * schema library alone would cost this process 40 MB and 0.2 s at each start.
 */
import type { HostRequest } from '#device/media/host-protocol.ts';

export type ParsedRequest =
  | { readonly kind: 'request'; readonly request: HostRequest }
  | { readonly kind: 'problem'; readonly problem: string };

type Check = (value: unknown, path: string) => string | null;

const source = object({ kind: oneOf(['camera', 'test', 'file', 'element', 'no-signal']), id: text(200), label: text(200) });
const live = object({
  element: text(100),
  property: text(100),
  value: number,
});
const deviceUsb = object({ port: text(100), id: text(100), serial: orNull(text(1000)) });
const capture = object({
  description: text(8192),
  source,
  encoder: text(100),
  width: integer(),
  height: integer(),
  framesPerSecond: integer(),
  hasAudio: flag,
  devicePath: optional(text(200)),
  file: optional(object({ path: text(1024), within: orNull(text(1024)), pictures: list(text(40), 16), soundRateHz: orNull(integer()) })),
  keyframeLook: optional(object({ description: orNull(text(2048)), previewIntervalS: integer(0), isWatched: flag })),
  deviceUsb: optional(deviceUsb),
  card: optional(object({ description: text(8192), live: list(live, 16), title: text(100) })),
  withoutMicrophone: optional(
    object({ description: text(8192), probe: text(1024), card: optional(object({ number: integer(0), usb: deviceUsb })) }),
  ),
  silenced: optional(object({ description: text(8192), card: optional(text(8192)) })),
});
const outputId: Check = (value, path) =>
  typeof value === 'string' && /^[a-z0-9-]{1,40}$/.test(value) ? null : expected(path, '1 to 40 of a-z 0-9 -', value);
const output = oneKindOf({
  rtmp: object({ id: outputId, target: text(1024), location: text(2200) }),
  icecast: object({ id: outputId, target: text(1024), location: text(1024) }),
  recording: object({ id: outputId, target: text(1024), directory: orNull(text(512)), segmentS: integer(1) }),
});
const adaptive = object({
  element: text(100),
  property: text(100),
  controlId: optional(integer()),
  unitsPerKbps: number,
  minimumKbps: integer(),
  maximumKbps: integer(),
});
const preview = oneKindOf({
  preview: object({
    id: oneOf(['preview']),
    target: text(1024),
    intervalS: integer(1),
    encoder: orNull(object({ description: text(1024), pictureBytes: integer(1) })),
    missing: orNull(text(500)),
  }),
});
const plan = object({ capture, live: list(live, 16), outputs: list(output, 16), preview: optional(preview), adaptive: optional(adaptive) });
const requestId = integer(1);
const request = oneKindOf({
  apply: object({ id: requestId, plan }),
  'restart-capture': object({ id: requestId }),
  picture: object({ id: requestId }),
  shutdown: object({ id: requestId }),
});

export function parseRequest(line: string): ParsedRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { kind: 'problem', problem: 'expected a line of JSON' };
  }
  const problem = request(value, 'request');
  return problem === null ? { kind: 'request', request: value as HostRequest } : { kind: 'problem', problem };
}

function object(fields: Readonly<Record<string, Check>>): Check {
  const checks = Object.entries(fields);
  return (value, path) => {
    if (!isRecord(value)) return expected(path, 'an object', value);
    for (const [name, check] of checks) {
      const problem = check(value[name], `${path}.${name}`);
      if (problem !== null) return problem;
    }
    return null;
  };
}

function optional(check: Check): Check {
  return (value, path) => (value === undefined ? null : check(value, path));
}

/** An object whose `kind` says which check is for the rest of it. */
function oneKindOf(checks: Readonly<Record<string, Check>>): Check {
  const byKind = new Map<unknown, Check>(Object.entries(checks));
  return (value, path) => {
    if (!isRecord(value)) return expected(path, 'an object', value);
    const check = byKind.get(value['kind']);
    return check === undefined ? expected(`${path}.kind`, [...byKind.keys()].join(' or '), value['kind']) : check(value, path);
  };
}

function list(check: Check, maximum: number): Check {
  return (value, path) => {
    if (!Array.isArray(value) || value.length > maximum) return expected(path, `a list of at most ${maximum}`, value);
    for (const [index, item] of value.entries()) {
      const problem = check(item, `${path}[${index}]`);
      if (problem !== null) return problem;
    }
    return null;
  };
}

function orNull(check: Check): Check {
  return (value, path) => (value === null ? null : check(value, path));
}

/** JSON Schema counts characters by code point. */
function text(maximum: number): Check {
  return (value, path) =>
    typeof value === 'string' && (value.length <= maximum || [...value].length <= maximum)
      ? null
      : expected(path, `a text of at most ${maximum} characters`, value);
}

function flag(value: unknown, path: string): string | null {
  return typeof value === 'boolean' ? null : expected(path, 'true or false', value);
}

function number(value: unknown, path: string): string | null {
  return typeof value === 'number' && Number.isFinite(value) ? null : expected(path, 'a number', value);
}

function integer(minimum = Number.NEGATIVE_INFINITY): Check {
  return (value, path) =>
    typeof value === 'number' && Number.isInteger(value) && value >= minimum
      ? null
      : expected(path, `a whole number${minimum === Number.NEGATIVE_INFINITY ? '' : ` from ${minimum}`}`, value);
}

function oneOf(values: readonly string[]): Check {
  return (value, path) => (typeof value === 'string' && values.includes(value) ? null : expected(path, values.join(' or '), value));
}

/** Only the type of what came is told: the text may be a key. */
function expected(path: string, what: string, value: unknown): string {
  return `${path}: expected ${what}, got ${value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
