import { expect, test } from 'vitest';
import { desired } from '../bare-machine.ts';
import { recording, startedAgent, streaming } from '../started-agent.ts';
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
