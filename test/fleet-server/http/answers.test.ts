import type { InjectOptions } from 'fastify';
import { Compile } from 'typebox/compile';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorStatuses } from '#fleet-server/errors.ts';
import { Problem } from '#protocol/model/problem.ts';
import { type ApiUnderTest, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
let id: string;
beforeAll(async () => {
  api = await startApi();
  id = (await api.join()).deviceId;
});
afterAll(() => api.close());

type Operation = { readonly parameters?: { readonly in: string }[]; readonly requestBody?: object; readonly responses: object };
type OpenApi = { readonly openapi: string; readonly info: object; readonly paths: Record<string, Record<string, Operation>> };
const openApi = async () => (await api.app.inject('/api/openapi.json')).json<OpenApi>();

const problem = Compile(Problem);

async function expectProblem(options: InjectOptions & { as?: string | null }): Promise<void> {
  const response = await api.request(options);
  const what = `${options.method} ${String(options.url)} ${JSON.stringify(options.payload)?.slice(0, 80)}: ${response.statusCode} ${response.body}`;
  expect(response.statusCode, what).toBeGreaterThanOrEqual(400);
  expect(response.statusCode, what).toBeLessThan(500);
  const body = response.json<{ code: string }>();
  expect(problem.Check(body), what).toBe(true);
  expect(Object.hasOwn(errorStatuses, body.code), what).toBe(true);
}

const wrongBodies: readonly unknown[] = [
  null,
  [],
  'text',
  7,
  {},
  { name: 7 },
  { kind: '!' },
  { AV_VIDEO_WIDTH: {} },
  { uses: -1 },
  { group: 'NO SPACES' },
];

describe('every route', () => {
  test('is described, with its answers and its problems', async () => {
    const { openapi, paths } = await openApi();
    expect(openapi).toBe('3.1.0');
    expect(Object.keys(paths).toSorted()).toEqual([
      '/api/v1/access-tokens',
      '/api/v1/access-tokens/{id}',
      '/api/v1/alert-channels',
      '/api/v1/alert-channels/{id}',
      '/api/v1/alert-channels/{id}/test',
      '/api/v1/alert-rules',
      '/api/v1/alert-rules/{id}',
      '/api/v1/alerts',
      '/api/v1/alerts/{id}/acknowledge',
      '/api/v1/audit-log',
      '/api/v1/changes',
      '/api/v1/commands',
      '/api/v1/commands/{batchId}',
      '/api/v1/devices',
      '/api/v1/devices/grouping',
      '/api/v1/devices/tagging',
      '/api/v1/devices/{id}',
      '/api/v1/devices/{id}/access',
      '/api/v1/devices/{id}/approval',
      '/api/v1/devices/{id}/board',
      '/api/v1/devices/{id}/commands',
      '/api/v1/devices/{id}/commands/{commandId}',
      '/api/v1/devices/{id}/commands/{commandId}/withdraw',
      '/api/v1/devices/{id}/connection',
      '/api/v1/devices/{id}/health',
      '/api/v1/devices/{id}/history',
      '/api/v1/devices/{id}/history/kinds',
      '/api/v1/devices/{id}/logs',
      '/api/v1/devices/{id}/logs/live',
      '/api/v1/devices/{id}/playback',
      '/api/v1/devices/{id}/preview.jpg',
      '/api/v1/devices/{id}/settings',
      '/api/v1/devices/{id}/settings/preview',
      '/api/v1/devices/{id}/settings/revisions',
      '/api/v1/devices/{id}/settings/revisions/{number}/undo',
      '/api/v1/devices/{id}/settings/revisions/{number}/undo/preview',
      '/api/v1/devices/{id}/snapshot.jpg',
      '/api/v1/enrolments',
      '/api/v1/enrolments/copies',
      '/api/v1/fleet/settings',
      '/api/v1/fleet/settings/preview',
      '/api/v1/fleet/settings/revisions',
      '/api/v1/fleet/settings/revisions/{number}/undo',
      '/api/v1/fleet/settings/revisions/{number}/undo/preview',
      '/api/v1/fleet/watchdog-policy',
      '/api/v1/groups',
      '/api/v1/groups/{name}',
      '/api/v1/groups/{name}/settings',
      '/api/v1/groups/{name}/settings/preview',
      '/api/v1/groups/{name}/settings/revisions',
      '/api/v1/groups/{name}/settings/revisions/{number}/undo',
      '/api/v1/groups/{name}/settings/revisions/{number}/undo/preview',
      '/api/v1/groups/{name}/watchdog-policy',
      '/api/v1/join-tokens',
      '/api/v1/join-tokens/{id}',
      '/api/v1/maintenance-windows',
      '/api/v1/maintenance-windows/{id}',
      '/api/v1/people',
      '/api/v1/people/{name}',
      '/api/v1/rollouts',
      '/api/v1/rollouts/{id}',
      '/api/v1/rollouts/{id}/halt',
      '/api/v1/rollouts/{id}/resume',
      '/api/v1/rollouts/{id}/roll-back',
      '/api/v1/session',
      '/api/v1/session/password',
      '/api/v1/tags',
      '/api/v1/watchdog-policies',
      '/healthz',
      '/metrics',
      '/metrics/devices',
      '/readyz',
    ]);
    for (const [path, operations] of Object.entries(paths)) {
      for (const [method, operation] of Object.entries(operations)) {
        const statuses = Object.keys(operation.responses);
        expect(
          statuses.some((status) => status.startsWith('2')),
          `${method} ${path}`,
        ).toBe(true);
        if (path.startsWith('/api/')) expect(statuses, `${method} ${path}`).toContain('4XX');
      }
    }
  });

  test('answers bad input with a problem, never with a failure', async () => {
    for (const [path, operations] of Object.entries((await openApi()).paths)) {
      for (const [method, operation] of Object.entries(operations)) {
        const verb = method.toUpperCase() as 'GET';
        const url = filledIn(path);
        for (const wrong of ['%00', '..%2f..%2fetc%2fpasswd', 'X'.repeat(150), '%E0%A4%A', 'd-nothing00']) {
          if (path.includes('{id}'))
            await expectProblem({ method: verb, url: path.replace('{id}', wrong).replace('{commandId}', 'x').replace('{number}', 'x') });
        }
        if (operation.parameters?.some((parameter) => parameter.in === 'query')) {
          for (const query of ['limit=0', 'limit=abc', 'limit=501', 'after=%00', 'after=WzFd', 'stepS=-1', 'from=x']) {
            const key = query.split('=', 1)[0] ?? '';
            if (operation.parameters.some((parameter) => (parameter as unknown as { name: string }).name === key)) {
              await expectProblem({ method: verb, url: `${url}?${query}` });
            }
          }
        }
        if (operation.requestBody === undefined) continue;
        for (const body of wrongBodies) {
          // A preview says what is wrong with a patch; that is an answer.
          if (path.endsWith('/preview') && typeof body === 'object' && body !== null && !Array.isArray(body)) continue;
          // An empty patch of a device and an empty wish for a token are right.
          if (JSON.stringify(body) === '{}' && (path === '/api/v1/devices/{id}' || path === '/api/v1/join-tokens')) continue;
          if (
            path === '/api/v1/join-tokens' &&
            !['{"uses":-1}', '{"group":"NO SPACES"}'].includes(JSON.stringify(body)) &&
            typeof body === 'object' &&
            body !== null &&
            !Array.isArray(body)
          )
            continue;
          await expectProblem({ method: verb, url, payload: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
        }
        for (const text of ['{', '', '{"__proto__":{"x":1}}', '\u0000']) {
          if (path === '/api/v1/join-tokens' && text.includes('proto')) continue;
          await expectProblem({ method: verb, url, payload: text, headers: { 'content-type': 'application/json' } });
        }
        await expectProblem({ method: verb, url, payload: '<x/>', headers: { 'content-type': 'text/xml' } });
        await expectProblem({
          method: verb,
          url,
          payload: `{"name":"${'x'.repeat(70_000)}"}`,
          headers: { 'content-type': 'application/json' },
        });
      }
    }
    expect(api.logText()).not.toContain('"level":50');
  });
});

describe('what is not there', () => {
  test.each(['/api/v1/nothing', '/api', '/internal/x', '/hls/x', '/assets/x.js'])('%s is a problem', async (url) => {
    await expectProblem({ method: 'GET', url, as: null });
  });

  test('a page of a dashboard that is not built says how to build it', async () => {
    const { app, close } = await startApi();
    const response = await app.inject('/devices/some-device');
    if (response.statusCode === 503) expect(response.body).toContain('not built yet');
    else expect(response.body).toContain('<div id=');
    expect(response.headers['content-type']).toBe('text/html; charset=utf-8');
    await close();
  });
});

test('a failure is answered without its words, and logged with them', async () => {
  const { app, logText, request, close } = await startApi();
  app.people.personOf = () => Promise.reject(new Error('inner words'));
  const response = await request({ method: 'GET', url: '/api/v1/session' });
  expect(response.statusCode).toBe(500);
  expect(response.json()).toMatchObject({ code: 'internal' });
  expect(response.body).not.toContain('inner words');
  expect(logText()).toContain('inner words');
  await close();
});

test('metrics count devices by presence and by stream, and name none of them', async () => {
  const text = (await api.app.inject('/metrics')).body;
  expect(text).toContain(
    '# TYPE makespacelive_devices gauge\nmakespacelive_devices{presence="online"} 0\nmakespacelive_devices{presence="offline"} 1\n',
  );
  expect(text).toContain('makespacelive_streams{state="live"} 0');
  expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
  expect(text).not.toContain(id);
  expect(text.endsWith('\n')).toBe(true);
});

test('pages may run only our own scripts and stand in no frame', async () => {
  const { headers } = await api.app.inject('/healthz');
  const policy = String(headers['content-security-policy']);
  expect(policy).toContain("script-src 'self';");
  expect(policy).toContain("style-src 'self';");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain('upgrade-insecure-requests');
  expect(headers['x-content-type-options']).toBe('nosniff');
  expect(headers['x-frame-options']).toBe('DENY');
});

function filledIn(path: string): string {
  const values = { id, name: 'hall', commandId: 'a'.repeat(36), batchId: 'a'.repeat(36), number: '1' };
  return Object.entries(values).reduce((url, [key, value]) => url.replace(`{${key}}`, value), path);
}
