/** A roll-out over three real fleet servers on one PostgreSQL: its group is renamed and the leader dies in the middle of it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CommandStatus } from '#protocol/model/command.ts';
import type { DeviceList, RenamedGroup } from '#protocol/model/device.ts';
import type { RolloutDetail } from '#protocol/model/rollout.ts';
import type { LevelSettings, RevisionPage } from '#protocol/model/settings.ts';
import { until } from '../../until.ts';
import { leaderLine, type OneServer, ServersUnderTest } from '../servers/servers-under-test.ts';
import type { SimpleDevice } from '../servers/simple-device.ts';

let fleet: ServersUnderTest;
beforeAll(async () => {
  fleet = await ServersUnderTest.start(3);
}, 120_000);
afterAll(() => fleet.remove(), 60_000);

const restart = { kind: 'restart-pipeline' };
const isLeader = ({ running }: OneServer) => running.output().includes(leaderLine);

test('goes on under another name, and at another server when its leader is killed, and nobody gets anything twice', {
  timeout: 120_000,
}, async () => {
  const leader = await until('a leader', 15_000, () => fleet.servers.find(isLeader));
  const [second, third] = fleet.servers.filter((server) => server !== leader);
  if (second === undefined || third === undefined) throw new Error('expected three servers');
  const places = [leader, second, third, second, third, second];
  const devices: SimpleDevice[] = [];
  for (const [index, place] of places.entries()) {
    const device = await fleet.join(second, `pi-${index}`, 'hall');
    await until('let in', 10_000, () =>
      device.connect(place.mqttPort).then(
        () => true,
        () => false,
      ),
    );
    devices.push(device);
  }
  // These devices only say that they stream: what is wrong with them before is no fault of the change.
  await until('all are shown with what is wrong already', 30_000, async () => {
    const list = await leader.json<DeviceList>('GET', '/devices?group=hall');
    return list.devices.filter(({ stream }) => stream.kind === 'not-arriving').length === devices.length;
  });

  const plan = { kind: 'waves', canary: 1, shares: [50, 100], soakS: 2, failureThresholdPercent: 50 };
  const begun = await second.json<RolloutDetail>('POST', '/rollouts', {
    scope: { kind: 'group', name: 'hall' },
    patch: { AV_VIDEO_BITRATE: 1234 },
    plan,
  });
  expect(begun.state).toBe('running');
  const having = () => devices.filter(({ lastDesired }) => lastDesired?.levels.group['AV_VIDEO_BITRATE'] === 1234).length;
  await until('the second wave has it', 20_000, () => having() > 1);
  expect(having()).toBeLessThan(devices.length);
  await third.json<RenamedGroup>('PATCH', '/groups/hall', { name: 'stage' });

  // Asked for at one that stays, of devices at all three: the first is connected to the one that dies.
  const commands = await Promise.all(
    devices.map(async ({ id }) => ({ id, command: await second.json<CommandStatus>('POST', `/devices/${id}/commands`, restart) })),
  );
  await fleet.kill(leader);
  const killedMs = performance.now();
  const [first] = devices;
  await until(
    'the device of the dead server is at another',
    10_000,
    () =>
      first?.connect(third.mqttPort).then(
        () => true,
        () => false,
      ) ?? true,
  );
  await until('every device is shown as online by those that are left', 30_000, async () => {
    const list = await second.json<DeviceList>('GET', '/devices?group=stage');
    return list.devices.length === devices.length && list.devices.every(({ presence }) => presence.state === 'online');
  });
  expect(performance.now() - killedMs).toBeLessThan(30_000);
  for (const [index, { id, command }] of commands.entries()) {
    const path = `/devices/${id}/commands/${command.id}`;
    await until('the command is done', 20_000, async () => (await third.json<CommandStatus>('GET', path)).state === 'done');
    expect(devices[index]?.done).toEqual([command.id]);
  }
  const done = await until('it is completed', 60_000, async () => {
    const rollout = await third.json<RolloutDetail>('GET', `/rollouts/${begun.id}`);
    return rollout.state !== 'running' && rollout;
  });
  expect(done).toMatchObject({ state: 'completed', revision: 1, wave: 2 });
  expect(having()).toBe(devices.length);

  expect((await third.json<LevelSettings>('GET', '/groups/stage/settings')).settings).toMatchObject([{ key: 'AV_VIDEO_BITRATE' }]);
  const { revisions } = await second.json<RevisionPage>('GET', '/groups/stage/settings/revisions');
  expect(revisions).toHaveLength(1);
  // The first was of the joining.
  for (const device of devices) expect(device.revisions).toEqual([1, 2]);
  for (const [subject, ...actions] of [
    ['hall', 'rollout-begun', 'group-renamed'],
    ['stage', 'rollout-completed', 'settings-changed'],
  ]) {
    const audit = await (await second.request('GET', `/audit-log?subject=${subject}`)).text();
    for (const action of actions) expect(audit.split(`"${action}"`)).toHaveLength(2);
  }
});
