/** Every route, with inputs drawn from its own schema: whatever comes, an answer, and never a failure. */
import fc from 'fast-check';
import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { failurePolicy } from '#fleet-server/broker/failure-ledger.ts';
import { attemptWindowMs } from '#fleet-server/people/attempt-limit.ts';
import { type ApiUnderTest, startApi } from '../fleet-server/api-under-test.ts';
import { awkwardValues, fitting, nearlyFitting } from './from-schema.ts';
import { failuresIn, longTimeoutMs, parameters, runs } from './inputs.ts';

type Parameter = { readonly name: string; readonly in: 'path' | 'query' | 'header'; readonly schema: object };
type Operation = {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
};
type Route = { readonly method: string; readonly path: string; readonly operation: Operation };
type Request = { readonly route: Route; readonly options: InjectOptions; readonly person: 'admin' | 'operator' | 'viewer' | 'nobody' };

let api: ApiUnderTest;
let routes: readonly Route[];
const cookies: Record<Request['person'], string | null> = { admin: null, operator: null, viewer: null, nobody: null };
let known: readonly string[];
let asked = 0;
/** What stands under a path such as `/api/v1/alert-rules/`, by that path. */
const knownUnder = new Map<string, readonly string[]>();

beforeAll(async () => {
  // The clock stands still for thousands of changes.
  api = await startApi({ writesPerMinute: 1_000_000 });
  const { paths } = (await api.app.inject('/api/openapi.json')).json<{ paths: Record<string, Record<string, Operation>> }>();
  routes = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
  cookies.admin = await api.signIn('admin', api.adminPassword);
  cookies.operator = await api.addPerson('olga', 'operator');
  cookies.viewer = await api.addPerson('vera', 'viewer');
  const device = await api.join({ name: 'stage', group: 'hall' });
  known = [device.deviceId, 'hall', 'olga', 'stream-missing'];
});
afterAll(() => api.close());

/** A password is hashed slowly on purpose: of what asks for one there are fewer. What is told live ends by itself only with its reader. */
const slow = ['POST /api/v1/session', 'POST /api/v1/session/password', 'POST /api/v1/people', 'PATCH /api/v1/people/{name}'];
const showsCredential = '/api/v1/devices/{id}/connection';
const endless = ['GET /api/v1/changes', 'GET /api/v1/devices/{id}/logs/live'];
const nameOf = ({ method, path }: Route) => `${method} ${path}`;

/** No half of a surrogate pair: such a text cannot be written into an address. */
const isWhole = (text: string) => !/\p{Surrogate}/u.test(text);

function pathSegment(schema: object, under: string): fc.Arbitrary<string> {
  const there = knownUnder.get(under) ?? known;
  const awkward = awkwardValues.filter((value): value is string => typeof value === 'string' && isWhole(value));
  return fc
    .oneof(
      { weight: 5, arbitrary: fc.constantFrom(...there) },
      { weight: 3, arbitrary: fitting(schema).map(String) },
      { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 60 }) },
      { weight: 1, arbitrary: fc.constantFrom(...awkward) },
    )
    .map((text) => (isWhole(text) ? encodeURIComponent(text) : text.replaceAll(/[^a-z0-9]/g, '%')));
}

const headerValue = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 100 });
const someHeaders = fc.record(
  {
    authorization: fc.oneof(
      headerValue.map((text) => `Bearer ${text}`),
      headerValue,
    ),
    origin: fc.oneof(fc.webUrl(), headerValue),
    accept: headerValue,
    'last-event-id': headerValue,
    'if-none-match': headerValue,
  },
  { requiredKeys: [] },
);

function requestOf(route: Route): fc.Arbitrary<Request> {
  const given = route.operation.parameters ?? [];
  const of = (place: Parameter['in']) => given.filter((parameter) => parameter.in === place);
  const body = route.operation.requestBody?.content['application/json']?.schema;
  const segments = fc.record(
    Object.fromEntries(
      of('path').map(({ name, schema }) => [name, pathSegment(schema, route.path.slice(0, route.path.indexOf(`{${name}}`)))]),
    ),
  );
  const query = fc.record(Object.fromEntries(of('query').map(({ name, schema }) => [name, nearlyFitting(schema)])), { requiredKeys: [] });
  const text = body === undefined ? fc.constant(undefined) : bodyText(body);
  const person = fc.constantFrom<Request['person']>('admin', 'admin', 'admin', 'admin', 'operator', 'viewer', 'nobody');
  return fc.tuple(segments, query, text, fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, someHeaders), person).map((parts) => {
    const [names, asked, payload, headers, who] = parts;
    const search = new URLSearchParams(Object.entries(asked).map(([key, value]): [string, string] => [key, plain(value)]));
    const path = route.path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => names[name] ?? '');
    const options = {
      method: route.method as 'GET',
      url: search.size === 0 ? path : `${path}?${search}`,
      headers: { ...(payload === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(payload === undefined ? {} : { payload }),
    };
    return { route, options, person: nameOf(route) === 'DELETE /api/v1/session' ? 'nobody' : who };
  });
}

const plain = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value));

function bodyText(schema: object): fc.Arbitrary<string> {
  const json = nearlyFitting(schema).map((value) => JSON.stringify(value));
  const cut = fc.tuple(json, fc.nat({ max: 400 })).map(([text, at]) => text.slice(0, at));
  return fc.oneof({ weight: 20, arbitrary: json }, { weight: 1, arbitrary: cut }, { weight: 1, arbitrary: fc.string({ maxLength: 50 }) });
}

/** A channel that cannot be reached is the channel's failure, and said to be. */
const saysNotTold = (text: string) => text.includes('"code":"not-told"');
const failures = () => failuresIn(api.logText()).filter((line) => !saysNotTold(line));

async function answerTo({ route, options, person }: Request): Promise<void> {
  asked += 1;
  // From everywhere: the bounds on how often one address may sign in or join are not what is tried here.
  const remoteAddress = `10.${(asked >> 16) & 255}.${(asked >> 8) & 255}.${asked & 255}`;
  const cookie = cookies[person];
  const headers = { ...options.headers, ...(cookie === null ? {} : { cookie }) };
  if (endless.includes(nameOf(route))) {
    const stream = await api.app.inject({ ...options, headers, remoteAddress, payloadAsStream: true });
    stream.stream().destroy();
    // 503: there are as many readers as the server bears; a request that is made up here never hangs up.
    expect([200, 400, 401, 403, 404, 503]).toContain(stream.statusCode);
    return;
  }
  const answer = api.app.inject({ ...options, headers, remoteAddress });
  // Who shows a wrong credential waits for the answer, and the clock stands still by itself.
  if (route.path === showsCredential) await api.clock.advance(failurePolicy.maxDelayMs);
  const { statusCode, body } = await answer;
  if (statusCode === 502 && saysNotTold(body)) return;
  expect(
    statusCode,
    `${options.method} ${String(options.url)} ${String(options.payload)}: ${body} ${statusCode < 500 ? '' : failures().at(-1)}`,
  ).toBeLessThan(500);
  // Refused is then who else was named, and not the person's session.
  const saysWhoElse = route.path.startsWith('/api/v1/session') || route.path === showsCredential || 'authorization' in headers;
  if (person === 'nobody' || statusCode !== 401 || cookie === null || saysWhoElse) return;
  // Somebody's session was ended by what came before, and wrong passwords may have been tried under the name.
  if (person !== 'admin') return;
  await api.clock.advance(attemptWindowMs);
  cookies.admin = await api.signIn('admin', api.adminPassword);
}

const rule = { name: 'Away', trigger: { kind: 'offline' }, forS: 1, severity: 'info', group: null, enabled: true, channelIds: [] };
const hours = { kind: 'weekly', days: ['mon'], from: '01:00', to: '02:00', timeZone: 'UTC' };
const plan = { kind: 'waves', canary: 1, shares: [100], soakS: 5, failureThresholdPercent: 0 };
const things: Readonly<Record<string, (deviceId: string) => object>> = {
  'alert-rules': () => ({ ...rule, quietHours: null, escalation: null }),
  'alert-channels': () => ({ name: 'Nobody', target: { kind: 'webhook', url: 'http://127.0.0.1:9/x' } }),
  'maintenance-windows': () => ({ scope: { kind: 'fleet' }, reason: 'Rehearsal', schedule: hours }),
  rollouts: () => ({ scope: { kind: 'fleet' }, patch: { AV_VIDEO_BITRATE: 1000 + (asked % 3000) }, plan }),
  'join-tokens': () => ({}),
  'access-tokens': () => ({ name: 'program', scopes: ['read'], expiresInS: 3600 }),
  commands: (deviceId) => ({ kind: 'identify', deviceIds: [deviceId] }),
};

/** What is asked for in the addresses is there again, whatever was taken away; and a second passes, in which what was stored is acted upon. */
async function restore(): Promise<void> {
  const ask = async (method: 'GET' | 'POST', url: string, payload?: object) =>
    (await api.request({ method, url, ...(payload === undefined ? {} : { payload }) })).json<Record<string, unknown>>();
  await api.clock.advance(1000);
  const { devices } = (await ask('GET', '/api/v1/devices')) as { devices: { id: string }[] };
  const id = devices[0]?.id ?? (await api.join({ name: 'stage', group: 'hall' })).deviceId;
  known = [id, ...known.slice(1)];
  for (const [name, thing] of Object.entries(things)) {
    const made = await ask('POST', `/api/v1/${name}`, thing(id));
    if (typeof made['id'] === 'string') knownUnder.set(`/api/v1/${name}/`, [made['id']]);
  }
  const { id: command } = await ask('POST', `/api/v1/devices/${id}/commands`, { kind: 'identify' });
  knownUnder.set('/api/v1/devices/{id}/commands/', [String(command)]);
}

describe('every route', () => {
  test(
    'answers whatever comes, and fails at nothing',
    async () => {
      const isSlow = (route: Route) => slow.includes(nameOf(route));
      const share = runs(50) / routes.length;
      for (const route of routes) {
        await restore();
        const numRuns = Math.max(5, Math.round(isSlow(route) ? share / 10 : share));
        await fc.assert(fc.asyncProperty(requestOf(route), answerTo), parameters(numRuns));
      }
      expect([...knownUnder.keys()]).toHaveLength(Object.keys(things).length + 1);
      expect(failures()).toEqual([]);
    },
    longTimeoutMs,
  );

  test(
    'in any order, too',
    async () => {
      const story = fc.array(fc.constantFrom(...routes.filter((route) => !slow.includes(nameOf(route)))).chain(requestOf), {
        minLength: 5,
        maxLength: 30,
      });
      const play = async (requests: readonly Request[]) => {
        await restore();
        for (const request of requests) await answerTo(request);
      };
      await fc.assert(fc.asyncProperty(story, play), parameters(Math.round(runs(10) / 15)));
      expect(failures()).toEqual([]);
    },
    longTimeoutMs,
  );

  test(
    'and two at once',
    async () => {
      const quick = routes.filter((route) => !slow.includes(nameOf(route)) && route.path !== showsCredential);
      const pairs = fc.array(fc.tuple(...[0, 1].map(() => fc.constantFrom(...quick).chain(requestOf))), { minLength: 5, maxLength: 20 });
      const play = async (story: readonly (readonly Request[])[]) => {
        await restore();
        for (const pair of story) await Promise.all(pair.map(answerTo));
      };
      await fc.assert(fc.asyncProperty(pairs, play), parameters(Math.round(runs(10) / 15)));
      expect(failures()).toEqual([]);
    },
    longTimeoutMs,
  );
});
