/** The hand-written check and the schema of the contract say the same. */
import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { HostRequest } from '#device/media/host-protocol.ts';
import { parseRequest } from '#device/media-host/parse-request.ts';
import { previewPlan, testPlan } from '../media/test-plan.ts';

const preview = previewPlan({ width: 320, height: 180 });
const plan = testPlan({ target: 'rtmp://relay/live', recording: { segmentS: 600 }, preview });
const apply = { kind: 'apply', id: 1, plan };
const wrongValues: readonly unknown[] = [
  undefined,
  null,
  '',
  'x'.repeat(9000),
  -1,
  0.5,
  1e9,
  true,
  [],
  {},
  Array.from({ length: 17 }, () => ({})),
];

describe('a request', () => {
  it.each([
    [apply],
    [{ kind: 'restart-capture', id: 2 }],
    [{ kind: 'picture', id: 4 }],
    [{ kind: 'shutdown', id: 3 }],
    [{ ...apply, new: 'field' }],
    [{ ...apply, plan: { ...plan, preview: { ...preview, encoder: null, missing: 'no encoder' } } }],
  ])('is read', (request) => {
    expect(Value.Check(HostRequest, request)).toBe(true);
    expect(parseRequest(JSON.stringify(request))).toEqual({ kind: 'request', request });
  });

  it.each([
    ['', 'expected a line of JSON'],
    ['{', 'expected a line of JSON'],
    ['[]', 'request: expected an object, got a list'],
    ['{"kind":"dance","id":1}', 'request.kind: expected apply or restart-capture or picture or shutdown, got string'],
    [JSON.stringify({ ...apply, plan: { ...plan, outputs: 5 } }), 'request.plan.outputs: expected a list of at most 16, got number'],
  ])('is refused with words: %s', (line, problem) => {
    expect(parseRequest(line)).toEqual({ kind: 'problem', problem });
  });

  it('is judged as the schema judges it, whatever is put in whatever place', () => {
    const differing: string[] = [];
    let judged = 0;
    for (const path of paths(apply).slice(1)) {
      for (const value of wrongValues) {
        const request = withValue(apply, path, value);
        judged += 1;
        // What JSON cannot hold never comes over the wire.
        const wire: unknown = JSON.parse(JSON.stringify(request));
        if (Value.Check(HostRequest, wire) !== (parseRequest(JSON.stringify(wire)).kind === 'request'))
          differing.push(`${path.join('.')}=${value}`);
      }
    }
    expect(differing).toEqual([]);
    expect(judged).toBeGreaterThan(200);
  });
});

function paths(value: unknown): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [[]];
  return [[], ...Object.entries(value).flatMap(([key, inner]) => paths(inner).map((path) => [key, ...path]))];
}

function withValue(target: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(target)) return target.map((item, index) => (String(index) === key ? withValue(item, rest, value) : item));
  const record = target as Readonly<Record<string, unknown>>;
  return { ...record, [key]: withValue(record[key], rest, value) };
}
