import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { OutletSwitch } from '#device/schedule/outlet-switch.ts';
import { streamBasis } from '#device/schedule/outlets.ts';
import { resolveSettings } from '#device/settings/levels.ts';
import { StateDirectory } from '#device/state/state-directory.ts';
import { until } from '../../until.ts';
import { desired } from '../bare-machine.ts';
import { manualClock } from '../manual-clock.ts';
import { quietLog } from '../quiet-log.ts';
import { recording, startedAgent, streaming } from '../started-agent.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { startedFleet } from '../uplink/started-fleet.ts';

test('a recording that is switched by hand is done when the file grows, outlives the agent, and ends with the next settings', async () => {
  const fleet = await startedFleet();
  const first = await startedAgent(fleet);
  await fleet.hear('hello');
  await fleet.send('pi-1', 'desired', desired(1, {}));
  await fleet.hear('applied', ({ revision }) => revision === 1);
  const deadline = new Date(Date.now() + 60_000).toISOString();
  const planned = first.media.nextPlan();
  await fleet.send('pi-1', 'command', { id: 'command-1', kind: 'start-recording', arguments: {}, deadline });
  await planned;
  expect(first.media.plans.at(-1)?.outputs).toMatchObject([{ kind: 'rtmp' }, { kind: 'recording' }]);
  expect(fleet.heard.filter(({ name }) => name === 'command-result')).toEqual([]);
  first.media.outputs = [recording({ kind: 'waiting', attempt: 2, nextTryAt: '2026-11-21T12:00:00Z', lastError: 'the disk is read-only' })];
  first.media.say({ kind: 'running', since: '2026-11-21T12:00:00Z' });
  first.media.outputs = [recording({ kind: 'streaming', since: '2026-11-21T12:00:00Z' })];
  first.media.say({ kind: 'running', since: '2026-11-21T12:00:00Z' });
  const result = await fleet.hear('command-result');
  expect(result.body).toEqual({
    id: 'command-1',
    outcome: 'done',
    detail: 'recording to 2026-11-21T12-00-00Z.flv until the next settings',
  });
  await first.agent.stop();

  const from = fleet.heard.length;
  const second = await startedAgent(fleet, { directory: first.stateDirectory });
  expect(second.media.plans[0]?.outputs).toMatchObject([{ kind: 'rtmp' }, { kind: 'recording' }]);
  await fleet.hear('hello', () => true, from);
  await fleet.send('pi-1', 'desired', desired(2, { AV_VIDEO_WIDTH: 640 }));
  await fleet.hear('applied', ({ revision }) => revision === 2);
  expect(second.media.plans.at(-1)?.outputs).toMatchObject([{ kind: 'rtmp' }]);
});

test('power that fails between new settings and the end of a stopped recording does not keep it off', async () => {
  const fleet = await startedFleet();
  const first = await startedAgent(fleet);
  await fleet.hear('hello');
  await fleet.send('pi-1', 'desired', desired(2, { AV_RECORD: 1 }));
  await fleet.hear('applied', ({ revision }) => revision === 2);
  const deadline = new Date(Date.now() + 60_000).toISOString();
  await fleet.send('pi-1', 'command', { id: 'command-stop', kind: 'stop-recording', arguments: {}, deadline });
  await fleet.hear('command-result');
  const file = join(first.stateDirectory, 'recording-switch.json');
  const left = await readFile(file);
  await fleet.send('pi-1', 'desired', desired(3, { AV_RECORD: 1 }));
  await fleet.hear('applied', ({ revision }) => revision === 3);
  await first.agent.stop();
  await until('the switch is forgotten', 2000, () => !existsSync(file));
  await writeFile(file, left);

  const second = await startedAgent(fleet, { directory: first.stateDirectory });
  expect(second.media.plans.at(-1)?.outputs).toMatchObject([{ kind: 'rtmp' }, { kind: 'recording' }]);
});

test('a stream that is stopped by hand stays off the air, over a restart and other settings, until it is started again', async () => {
  const fleet = await startedFleet();
  const first = await startedAgent(fleet);
  await fleet.hear('hello');
  await fleet.send('pi-1', 'desired', desired(1, {}));
  await fleet.hear('applied', ({ revision }) => revision === 1);
  const deadline = new Date(Date.now() + 60_000).toISOString();
  await fleet.send('pi-1', 'command', { id: 'command-stop', kind: 'stop-streaming', arguments: {}, deadline });
  expect((await fleet.hear('command-result')).body).toEqual({
    id: 'command-stop',
    outcome: 'done',
    detail: 'nothing is streamed until it is started again, or the settings of the stream change',
  });
  expect(first.media.plans.at(-1)?.outputs).toEqual([]);
  const { body } = await fleet.hear('report', ({ conditions }) => conditions.some(({ code }) => code === 'stopped-by-command'));
  expect(body).toMatchObject({ media: { kind: 'running' }, outputs: [] });
  expect(first.lines.join('')).toContain('stopped by command');
  await first.agent.stop();

  const from = fleet.heard.length;
  const second = await startedAgent(fleet, { directory: first.stateDirectory });
  await fleet.hear('hello', () => true, from);
  await fleet.send('pi-1', 'desired', desired(2, { AV_VIDEO_WIDTH: 640 }));
  await fleet.hear('applied', ({ revision }) => revision === 2);
  expect(second.media.plans.map(({ outputs }) => outputs)).toEqual(second.media.plans.map(() => []));
  const planned = second.media.nextPlan();
  await fleet.send('pi-1', 'command', { id: 'command-start', kind: 'start-streaming', arguments: {}, deadline });
  await planned;
  expect(second.media.plans.at(-1)).toMatchObject({ capture: { width: 640 }, outputs: [{ kind: 'rtmp' }] });
  second.media.outputs = [streaming()];
  second.media.say({ kind: 'running', since: '2026-11-21T12:00:00Z' });
  expect((await fleet.hear('command-result', ({ id }) => id === 'command-start')).body.detail).toBe('streaming to rtmp://fleet/live');
  await fleet.hear('report', ({ conditions, outputs }) => outputs.length === 1 && conditions.every(({ code }) => code === 'test-picture'));
});

test('a stream that is started by hand outside its hours ends with the next ones, or with settings of its own', async () => {
  const fleet = await startedFleet();
  const { media } = await startedAgent(fleet);
  await fleet.hear('hello');
  const day = new Date().getUTCDay();
  const otherDay = ['Su', 'Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa'][(day + 3) % 7];
  const hours = { AV_STREAM_SCHEDULE: `${otherDay} 09:00-11:00`, AV_TIME_ZONE: 'UTC' };
  await fleet.send('pi-1', 'desired', desired(1, hours));
  await fleet.hear('applied', ({ revision }) => revision === 1);
  await fleet.hear('report', ({ conditions }) => conditions.some(({ code }) => code === 'outside-schedule'));
  expect(media.plans.at(-1)?.outputs).toEqual([]);
  const from = fleet.heard.length;
  const planned = media.nextPlan();
  const deadline = new Date(Date.now() + 60_000).toISOString();
  await fleet.send('pi-1', 'command', { id: 'command-start', kind: 'start-streaming', arguments: {}, deadline });
  await planned;
  media.outputs = [streaming()];
  media.say({ kind: 'running', since: '2026-11-21T12:00:00Z' });
  expect((await fleet.hear('command-result')).body.outcome).toBe('done');
  await fleet.hear('report', ({ conditions }) => conditions.every(({ code }) => code !== 'outside-schedule'), from);
  expect(media.plans.at(-1)?.outputs).toMatchObject([{ kind: 'rtmp' }]);
  await fleet.send('pi-1', 'desired', desired(2, { ...hours, AV_STREAM_SCHEDULE: `${otherDay} 09:00-12:00` }));
  await fleet.hear('applied', ({ revision }) => revision === 2);
  expect(media.plans.at(-1)?.outputs).toEqual([]);
});

test.each([
  ['before they begin', '2026-11-23T08:59:45Z'],
  ['within them', '2026-11-23T09:59:55Z'],
])('a stream that was started by hand before its hours ends with them, when the agent is started again %s', async (_when, now) => {
  const settings = {
    AV_STREAM_URL: 'rtmp://stream.example/live',
    AV_STREAM_KEY: 'key',
    AV_STREAM_SCHEDULE: 'Mo 09:00-10:00',
    AV_TIME_ZONE: 'UTC',
  };
  const directory = join(await temporaryDirectory(), 'state');
  const state = new StateDirectory(directory, quietLog());
  await state.start();
  const before = new OutletSwitch({
    outlet: 'stream',
    state,
    clock: manualClock(),
    onDiskError: (cause) => expect.unreachable(String(cause)),
  });
  await before.turn(true, streamBasis(resolveSettings({ environment: settings })));

  const clock = manualClock(Date.parse(now));
  const { agent, media } = await startedAgent(null, { directory, settings, clock });
  expect(media.plans.at(-1)?.outputs).toMatchObject([{ kind: 'rtmp' }]);
  await clock.advance(Date.parse('2026-11-23T09:59:59Z') - clock.nowMs());
  expect(media.plans.at(-1)?.outputs).toMatchObject([{ kind: 'rtmp' }]);
  await clock.advance(2000);
  expect(media.plans.at(-1)?.outputs).toEqual([]);
  await agent.stop();
});

test('a stream that was started by hand before its hours is off the air when they have gone by while the device was off', async () => {
  const dayMs = 86_400_000;
  const inThreeDays = ['Su', 'Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa'][(new Date().getUTCDay() + 3) % 7];
  const hours = { AV_STREAM_SCHEDULE: `${inThreeDays} 09:00-11:00`, AV_TIME_ZONE: 'UTC' };
  const settings = { AV_STREAM_URL: 'rtmp://stream.example/live', AV_STREAM_KEY: 'key', ...hours };
  const fleet = await startedFleet();
  const before = await startedAgent(fleet, { settings });
  await fleet.hear('hello');
  const planned = before.media.nextPlan();
  const deadline = new Date(Date.now() + 60_000).toISOString();
  await fleet.send('pi-1', 'command', { id: 'command-start', kind: 'start-streaming', arguments: {}, deadline });
  await planned;
  expect(before.media.plans.at(-1)?.outputs).toMatchObject([{ kind: 'rtmp' }]);
  await before.agent.stop();

  const plansAfter = async (days: number) => {
    const clock = manualClock(Date.now() + days * dayMs);
    const { agent, media } = await startedAgent(null, { directory: before.stateDirectory, settings, clock });
    await agent.stop();
    return media.plans.map(({ outputs }) => outputs.map(({ kind }) => kind));
  };
  expect((await plansAfter(1)).at(-1)).toEqual(['rtmp']);
  expect((await plansAfter(5)).flat()).toEqual([]);
  // And that stays so, if the clock was wrong as well.
  expect((await plansAfter(1)).flat()).toEqual([]);
});
