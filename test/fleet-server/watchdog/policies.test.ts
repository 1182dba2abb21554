/** The watchdog's policy in the API: for the fleet, for groups, within bounds. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { actsSince } from '#fleet-server/watchdog/acts.ts';
import type {} from '#fleet-server/watchdog/policies-plugin.ts';
import { defaultPolicy } from '#fleet-server/watchdog/policy.ts';
import type { WatchdogPolicy, WatchdogPolicyAnswer, WatchdogPolicyList } from '#protocol/model/watchdog.ts';
import { type ApiUnderTest, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const ofFleet = '/api/v1/fleet/watchdog-policy';
const ofHall = '/api/v1/groups/hall/watchdog-policy';
const get = async (url: string) => (await api.request({ method: 'GET', url })).json<WatchdogPolicyAnswer>();
const put = (url: string, policy: object, as?: string) =>
  api.request({ method: 'PUT', url, payload: policy, ...(as === undefined ? {} : { as }) });
const gentle: WatchdogPolicy = { ...defaultPolicy, steps: defaultPolicy.steps.slice(0, 1), maxAnHour: 3 };

describe('a policy', () => {
  test('is the one that it is born with until somebody sets another, and again after that is taken back', async () => {
    expect(await get(ofFleet)).toEqual({ policy: defaultPolicy, level: 'default', changedAt: null, changedBy: null });
    expect((await put(ofFleet, gentle)).json()).toMatchObject({ level: 'fleet', changedBy: 'admin', policy: { maxAnHour: 3 } });
    expect(api.app.watchdogPolicies.of(null)).toEqual(gentle);
    expect((await api.request({ method: 'DELETE', url: ofFleet })).json()).toMatchObject({ level: 'default' });
    expect(api.app.watchdogPolicies.of(null)).toEqual(defaultPolicy);
  });

  test('of a group counts there alone; without one the fleet’s does', async () => {
    await put(ofFleet, gentle);
    expect(await get(ofHall)).toMatchObject({ level: 'fleet' });
    await put(ofHall, { ...defaultPolicy, maxAnHour: 7 });
    expect(api.app.watchdogPolicies.of('hall').maxAnHour).toBe(7);
    expect(api.app.watchdogPolicies.of('foyer').maxAnHour).toBe(3);
    await api.stop();
    api = await startApi({ directory: api.directory, clock: api.clock });
    expect(await get(ofHall)).toMatchObject({ level: 'group', policy: { maxAnHour: 7 } });
  });

  test('that says the same as the fleet’s can be a group’s own, and stays when the fleet’s changes', async () => {
    await api.join({ name: 'stage', group: 'hall' });
    expect((await put(ofHall, (await get(ofHall)).policy)).json()).toMatchObject({ level: 'group', policy: defaultPolicy });
    await put('/api/v1/groups/empty/watchdog-policy', gentle);
    const own = async () => (await api.request({ method: 'GET', url: '/api/v1/watchdog-policies' })).json<WatchdogPolicyList>().groups;
    expect(await own()).toMatchObject([
      { name: 'empty', deviceCount: 0, isAsFleet: false, changedBy: 'admin' },
      { name: 'hall', deviceCount: 1, isAsFleet: true },
    ]);
    await put(ofFleet, gentle);
    expect(api.app.watchdogPolicies.of('hall')).toEqual(defaultPolicy);
    expect(await own()).toMatchObject([
      { name: 'empty', isAsFleet: true },
      { name: 'hall', isAsFleet: false },
    ]);
    for (const name of ['empty', 'hall']) await api.request({ method: 'DELETE', url: `/api/v1/groups/${name}/watchdog-policy` });
    expect(await own()).toEqual([]);
  });

  test('is an admin’s to change, and the audit log says what', async () => {
    expect((await put(ofFleet, gentle, await api.addPerson('olaf', 'operator'))).statusCode).toBe(403);
    await put(ofFleet, gentle);
    const audit = (await api.request({ method: 'GET', url: '/api/v1/audit-log' })).body;
    expect(audit).toContain('watchdog-policy-changed');
    expect(audit).toContain('maxAnHour');
  });

  test.each<[string, object]>([
    ['a bound beyond the bound', { ...gentle, maxAnHour: 61 }],
    ['no step', { ...gentle, steps: [] }],
    ['steps in the wrong order', { ...gentle, steps: defaultPolicy.steps.toReversed() }],
    ['a step twice', { ...gentle, steps: [defaultPolicy.steps[0], defaultPolicy.steps[0]] }],
    ['a command that is none of its own', { ...gentle, steps: [{ command: 'stop-recording', attempts: 1, maxAnHour: 1 }] }],
    ['a longest pause below the first', { ...gentle, firstPauseS: 100, maxPauseS: 50 }],
    ['a response that it does not know', { ...gentle, faults: { ...gentle.faults, 'picture-black': { response: 'panic', holdS: 1 } } }],
    ['a part', { maxAnHour: 3 }],
  ])('refused: %s', async (_name, policy) => {
    expect((await put(ofFleet, policy)).statusCode).toBe(400);
    expect((await get(ofFleet)).level).toBe('default');
  });
});

test('what the watchdog did within the hour is read from the history', async () => {
  const { deviceId } = await api.join();
  const add = (kind: string, origin: 'watchdog' | 'person' = 'watchdog') => api.app.history.append({ deviceId, origin, kind, detail: '' });
  await add('watchdog-restart-agent');
  api.clock.jump(3_600_000);
  await add('watchdog-restart-pipeline');
  await add('watchdog-waits');
  await add('restart-pipeline', 'person');
  const nowMs = api.clock.nowMs();
  expect([...(await actsSince(api.store().database, nowMs - 60_000))]).toEqual([
    [deviceId, [{ command: 'restart-pipeline', fault: null, atMs: nowMs }]],
  ]);
});
