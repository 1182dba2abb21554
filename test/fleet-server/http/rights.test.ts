/** Who may do what: a row for each operation of the API. One that is not here fails the test, and so does one that lets somebody else in. */
import fc from 'fast-check';
import type { InjectOptions } from 'fastify';
import { Check } from 'typebox/value';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { failurePolicy } from '#fleet-server/broker/failure-ledger.ts';
import { type Scope, scopes } from '#protocol/model/access-token.ts';
import { type Role, roles } from '#protocol/model/person.ts';
import type { Schema } from '../../fuzz/from-schema.ts';
import { type ApiUnderTest, startApi } from '../api-under-test.ts';

/** The least role, and the scope that an access token needs (`people`: no access token at all); `device`: its credential in the body. */
type Right = 'anybody' | 'device' | readonly [Role, Scope | 'people'];

const settingsOf = (where: string): Readonly<Record<string, Right>> => ({
  [`get ${where}/settings`]: ['viewer', 'read'],
  [`patch ${where}/settings`]: ['operator', 'settings'],
  [`post ${where}/settings/preview`]: ['viewer', 'read'],
  [`get ${where}/settings/revisions`]: ['viewer', 'read'],
  [`post ${where}/settings/revisions/{number}/undo`]: ['operator', 'settings'],
  [`post ${where}/settings/revisions/{number}/undo/preview`]: ['viewer', 'read'],
});
const policyOf = (where: string): Readonly<Record<string, Right>> => ({
  [`get ${where}/watchdog-policy`]: ['viewer', 'read'],
  [`put ${where}/watchdog-policy`]: ['admin', 'settings'],
  [`delete ${where}/watchdog-policy`]: ['admin', 'settings'],
});

const rights: Readonly<Record<string, Right>> = {
  'get /healthz': 'anybody',
  'get /readyz': 'anybody',
  'get /metrics': 'anybody',
  'get /metrics/devices': ['viewer', 'read'],
  'post /session': 'anybody',
  'get /session': ['viewer', 'read'],
  'delete /session': 'anybody',
  'post /session/password': ['viewer', 'people'],
  'get /people': ['admin', 'people'],
  'post /people': ['admin', 'people'],
  'patch /people/{name}': ['admin', 'people'],
  'delete /people/{name}': ['admin', 'people'],
  // Each has their own.
  'get /access-tokens': ['viewer', 'people'],
  'post /access-tokens': ['viewer', 'people'],
  'delete /access-tokens/{id}': ['viewer', 'people'],
  'get /audit-log': ['admin', 'people'],
  'get /changes': ['viewer', 'read'],
  'get /devices': ['viewer', 'read'],
  'get /tags': ['viewer', 'read'],
  'post /devices/tagging': ['operator', 'devices'],
  'post /devices/grouping': ['operator', 'devices'],
  'get /devices/{id}': ['viewer', 'read'],
  'patch /devices/{id}': ['operator', 'devices'],
  'delete /devices/{id}': ['admin', 'devices'],
  'get /devices/{id}/playback': ['viewer', 'read'],
  'get /devices/{id}/preview.jpg': ['viewer', 'read'],
  'get /devices/{id}/snapshot.jpg': ['viewer', 'read'],
  'get /groups': ['viewer', 'read'],
  // Join tokens, alert rules and policies go with it, which are an admin's.
  'patch /groups/{name}': ['admin', 'settings'],
  ...settingsOf('/fleet'),
  ...settingsOf('/groups/{name}'),
  ...settingsOf('/devices/{id}'),
  'get /rollouts': ['viewer', 'read'],
  'post /rollouts': ['operator', 'settings'],
  'get /rollouts/{id}': ['viewer', 'read'],
  'post /rollouts/{id}/halt': ['operator', 'settings'],
  'post /rollouts/{id}/resume': ['operator', 'settings'],
  'post /rollouts/{id}/roll-back': ['operator', 'settings'],
  'post /devices/{id}/commands': ['operator', 'commands'],
  'get /devices/{id}/commands': ['viewer', 'read'],
  'post /commands': ['operator', 'commands'],
  'get /commands/{batchId}': ['viewer', 'read'],
  'get /devices/{id}/commands/{commandId}': ['viewer', 'read'],
  'post /devices/{id}/commands/{commandId}/withdraw': ['operator', 'commands'],
  'get /devices/{id}/logs': ['operator', 'people'],
  'get /devices/{id}/logs/live': ['operator', 'people'],
  'get /devices/{id}/health': ['viewer', 'read'],
  'get /devices/{id}/history': ['viewer', 'read'],
  'get /devices/{id}/history/kinds': ['viewer', 'read'],
  'get /maintenance-windows': ['viewer', 'read'],
  'post /maintenance-windows': ['operator', 'devices'],
  'put /maintenance-windows/{id}': ['operator', 'devices'],
  'delete /maintenance-windows/{id}': ['operator', 'devices'],
  'get /watchdog-policies': ['viewer', 'read'],
  ...policyOf('/fleet'),
  ...policyOf('/groups/{name}'),
  'get /alerts': ['viewer', 'read'],
  'post /alerts/{id}/acknowledge': ['operator', 'devices'],
  'get /alert-rules': ['viewer', 'read'],
  'post /alert-rules': ['admin', 'people'],
  'put /alert-rules/{id}': ['admin', 'people'],
  'delete /alert-rules/{id}': ['admin', 'people'],
  'get /alert-channels': ['admin', 'people'],
  'post /alert-channels': ['admin', 'people'],
  'put /alert-channels/{id}': ['admin', 'people'],
  'delete /alert-channels/{id}': ['admin', 'people'],
  'post /alert-channels/{id}/test': ['admin', 'people'],
  // With a join token.
  'post /enrolments': 'anybody',
  'post /enrolments/copies': 'device',
  'post /devices/{id}/board': ['operator', 'enrolment'],
  'post /devices/{id}/approval': ['operator', 'enrolment'],
  'post /devices/{id}/access': ['operator', 'enrolment'],
  'get /join-tokens': ['admin', 'enrolment'],
  'post /join-tokens': ['admin', 'enrolment'],
  'delete /join-tokens/{id}': ['admin', 'enrolment'],
  'post /devices/{id}/connection': 'device',
};

type Operation = {
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly required?: boolean; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
};

let api: ApiUnderTest;
let operations: ReadonlyMap<string, Operation>;
const cookies = new Map<Role, string>();
const requests = new Map<string, InjectOptions>();
beforeAll(async () => {
  api = await startApi();
  const { paths } = (await api.app.inject('/api/openapi.json')).json<{ paths: Record<string, Record<string, Operation>> }>();
  operations = new Map(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]): [string, Operation] => [`${method} ${path.replace(/^\/api\/v1/, '')}`, operation]),
    ),
  );
  for (const role of roles) cookies.set(role, await api.addPerson(`the-${role}`, role));
});
afterAll(() => api.close());

const withCookie = (role: Role) => ({ cookie: cookies.get(role) ?? '' });

/** Of a person of this role; with these scopes, or none at all where there are none. */
async function bearer(role: Role, wanted: readonly Scope[]): Promise<Record<string, string> | null> {
  if (wanted.length === 0) return null;
  const payload = { name: 'rights', scopes: wanted, expiresInS: 3600 };
  const made = await api.app.inject({ method: 'POST', url: '/api/v1/access-tokens', payload, headers: withCookie(role) });
  return { authorization: `Bearer ${made.json<{ token: string }>().token}` };
}

/** What fits the schemas, so that nothing but the right is missing. It names nothing that is there. */
function requestOf(name: string, operation: Operation): InjectOptions {
  const known = requests.get(name);
  if (known !== undefined) return known;
  const [method = '', path = ''] = name.split(' ');
  const segments = path.replaceAll(/\{(\w+)\}/g, (_whole, key: string) =>
    encodeURIComponent(String(fitting(operation.parameters?.find((given) => given.in === 'path' && given.name === key)?.schema))),
  );
  const url = /^\/(healthz|readyz|metrics)/.test(path) ? segments : `/api/v1${segments}`;
  const schema = operation.requestBody?.content['application/json']?.schema;
  const request = { method: method.toUpperCase() as 'GET', url, ...(schema === undefined ? {} : { payload: fitting(schema) as object }) };
  requests.set(name, request);
  return request;
}

/** The least that fits, as nothing of it is looked at. */
function least(schema: Schema): unknown {
  if ('const' in schema) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.anyOf?.[0] !== undefined) return least(schema.anyOf[0]);
  switch (schema.type) {
    case 'string':
      return schema.pattern === undefined
        ? 'nothing-there'.padEnd(schema.minLength ?? 0, '-').slice(0, schema.maxLength)
        : matching(schema.pattern);
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'array':
      return Array.from({ length: schema.minItems ?? 0 }, () => least(schema.items ?? {}));
    case 'object':
      // The records of the API that may not be empty are settings.
      if (schema.minProperties !== undefined) return { AV_VIDEO_WIDTH: 640 };
      return Object.fromEntries((schema.required ?? []).map((key) => [key, least(schema.properties?.[key] ?? {})]));
    default:
      return true;
  }
}

const matching = (pattern: string) => fc.sample(fc.stringMatching(new RegExp(pattern, 'u')), { seed: 1, numRuns: 1 })[0];

function fitting(schema: Schema | undefined): unknown {
  const value = least(schema ?? {});
  if (schema !== undefined && Check(schema, value)) return value;
  throw new Error(`Expected a value that fits ${JSON.stringify(schema)}, got ${JSON.stringify(value)}.`);
}

const isEndless = ({ responses }: Operation) =>
  Object.values(responses).some(({ content }) => content?.['text/event-stream'] !== undefined);
const codeOf = async (options: InjectOptions, headers: Record<string, string> | null) =>
  (await api.app.inject({ ...options, ...(headers === null ? {} : { headers }) })).json<{ code?: string }>().code;

test('each operation has its row', () => {
  expect([...operations.keys()].toSorted()).toEqual(Object.keys(rights).toSorted());
});

test('nobody, a lower role and a token without the scope are refused, whatever else is right', async () => {
  const wrong: string[] = [];
  const without = new Map<string, Record<string, string> | null>();
  for (const scope of [...scopes, 'people'] as const)
    without.set(
      scope,
      await bearer(
        'admin',
        scopes.filter((other) => other !== scope),
      ),
    );
  for (const [name, operation] of operations) {
    const right = rights[name];
    if (right === undefined || typeof right === 'string') continue;
    const [role, scope] = right;
    const options = requestOf(name, operation);
    const lower = roles[roles.indexOf(role) - 1];
    const tries: readonly (readonly [who: string, headers: Record<string, string> | null, expected: string])[] = [
      ['nobody', null, 'not-signed-in'],
      ...(lower === undefined ? [] : ([[`a ${lower}`, withCookie(lower), 'not-allowed']] as const)),
      [`a token without ${scope}`, without.get(scope) ?? {}, 'not-allowed'],
    ];
    for (const [who, headers, expected] of tries) {
      const code = await codeOf(options, headers);
      if (code !== expected) wrong.push(`${name}: expected ${expected} for ${who}, got ${code ?? 'success'}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('the role, and a token with the scope, are enough; and what is anybody’s asks for neither', async () => {
  const wrong: string[] = [];
  const tokens = new Map<string, Record<string, string> | null>();
  for (const role of roles) for (const scope of scopes) tokens.set(`${role} ${scope}`, await bearer(role, [scope]));
  for (const [name, operation] of operations) {
    const right = rights[name];
    // What is told live never ends by itself.
    if (right === undefined || right === 'device' || isEndless(operation)) continue;
    const options = requestOf(name, operation);
    const tries =
      right === 'anybody'
        ? [['nobody', null] as const]
        : [[`a ${right[0]}`, withCookie(right[0])] as const, [`a token with ${right[1]}`, tokens.get(right.join(' ')) ?? null] as const];
    for (const [who, headers] of tries) {
      if (headers === null && right !== 'anybody') continue;
      const response = await api.app.inject({ ...options, ...(headers === null ? {} : { headers }) });
      if (/"code":"not-(signed-in|allowed)"/.test(response.body)) wrong.push(`${name}: expected ${who} to be let in, got ${response.body}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('what a device asks needs its credential, whoever is signed in', async () => {
  for (const [name, right] of Object.entries(rights)) {
    const operation = operations.get(name);
    if (right !== 'device' || operation === undefined) continue;
    for (const headers of [null, withCookie('admin')]) {
      const code = codeOf(requestOf(name, operation), headers);
      // Who shows a wrong credential waits for the answer, and the clock stands still by itself.
      await api.clock.advance(failurePolicy.maxDelayMs);
      expect(['credential-refused', 'not-allowed'], `${name}: ${await code}`).toContain(await code);
    }
  }
});
