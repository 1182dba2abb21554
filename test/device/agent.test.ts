import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { jpegSize } from '#device/commands/still-picture.ts';
import { commandDefinitions } from '#protocol/commands.ts';
import type { Desired } from '#protocol/messages.ts';
import { until } from '../until.ts';
import { desired, relayKey } from './bare-machine.ts';
import { manualClock } from './manual-clock.ts';
import { joinToken, startedAgent } from './started-agent.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { credential, startedFleet } from './uplink/started-fleet.ts';

test('joins, says hello, takes its settings, streams to the relay and says so', async () => {
  const fleet = await startedFleet();
  const { media, world } = await startedAgent(fleet, { leftOutProfiles: ['cameras/x.json: the file: expected JSON'] });
  const hello = await fleet.hear('hello');
  expect((await fleet.hear('event', ({ kind }) => kind === 'profile-damaged')).body.detail).toContain('cameras/x.json');
  expect(hello.body).toMatchObject({ appliedRevision: 0, appliedDigest: null, versions: { agent: '0.1.0', gstreamer: '1.22.0' } });
  expect(media.plans[0]?.outputs).toEqual([]);
  await fleet.send('pi-1', 'desired', desired(1, { AV_VIDEO_WIDTH: 640 }));
  const applied = await fleet.hear('applied');
  expect(applied.body).toEqual({ revision: 1, outcome: 'applied', refusals: [], inForceRevision: 1 });
  const report = await fleet.hear('report', ({ appliedRevision }) => appliedRevision === 1);
  expect(report.body).toMatchObject({
    source: { kind: 'test' },
    encoder: 'x264enc',
    media: { kind: 'running' },
    conditions: [{ code: 'test-picture' }],
    capabilities: Object.keys(commandDefinitions),
    settings: { AV_VIDEO_WIDTH: { value: 640, level: 'device' }, AV_STREAM_KEY: { value: true, isSecret: true, level: 'relay' } },
  });
  expect(media.plans.at(-1)?.outputs).toMatchObject([{ location: expect.stringContaining(relayKey) }]);
  expect(world.ready).toEqual([{ deviceId: 'pi-1', source: expect.stringMatching(/^the test picture: no camera was found/) }]);
  expect(fleet.problems).toEqual([]);
});

test('a damaged file is told of whenever it is read', async () => {
  const fleet = await startedFleet();
  const directory = await temporaryDirectory();
  const names = ['schedule.json', 'commands.json', 'escalation.json', 'session.json'];
  for (const name of names) await writeFile(join(directory, name), '{');
  await startedAgent(fleet, { directory });
  for (const name of names) await fleet.hear('event', ({ kind, detail }) => kind === 'file-damaged' && detail.includes(`${name}.damaged`));
});

test('a device that waits for approval says so and streams nowhere, unless its own environment says where', async () => {
  const fleet = await startedFleet();
  const { media, lines } = await startedAgent(fleet);
  await fleet.hear('hello');
  const nothing: Desired = { ...desired(1), relay: null, waitsForApproval: true };
  await fleet.send('pi-1', 'desired', nothing);
  const waiting = await fleet.hear('report', ({ appliedRevision }) => appliedRevision === 1);
  expect(waiting.body.conditions.map(({ code }) => code)).toContain('waits-for-approval');
  expect(media.plans.at(-1)?.outputs).toEqual([]);
  // Said after it was reported.
  await until('the log to say so', 5000, () => lines.join('').includes('waits until somebody approves it in the fleet’s dashboard'));
  await fleet.send('pi-1', 'desired', desired(2, {}, 'b'));
  const approved = await fleet.hear('report', ({ appliedRevision }) => appliedRevision === 2);
  expect(approved.body.conditions.map(({ code }) => code)).not.toContain('waits-for-approval');
  expect(media.plans.at(-1)?.outputs).toMatchObject([{ location: expect.stringContaining(relayKey) }]);

  const another = await startedFleet();
  const own = await startedAgent(another, { settings: { AV_STREAM_URL: 'rtmp://own.example/live' } });
  await another.hear('hello');
  await another.send('pi-1', 'desired', nothing);
  await another.hear('applied', ({ revision }) => revision === 1);
  expect(own.media.plans.at(-1)?.outputs).toMatchObject([{ location: expect.stringContaining('own.example') }]);
});

test('refused, rolled back, done once: the fleet hears of each', async () => {
  const fleet = await startedFleet();
  const { media } = await startedAgent(fleet);
  await fleet.hear('hello');
  media.fails = ({ capture }) => (capture.width === 320 ? 'not negotiated' : null);
  await fleet.send('pi-1', 'desired', desired(1, { AV_H264_ENCODER_PARAMS: 'no-such-parameter=1' }));
  const refused = await fleet.hear('applied', ({ revision }) => revision === 1);
  expect(refused.body).toMatchObject({ outcome: 'refused', inForceRevision: 0 });
  expect(refused.body.refusals[0]?.reason).toContain('no-such-parameter');
  await fleet.send('pi-1', 'desired', desired(2, { AV_VIDEO_WIDTH: 320 }));
  expect((await fleet.hear('applied', ({ revision }) => revision === 2)).body).toMatchObject({ outcome: 'rolled-back' });
  expect((await fleet.hear('event', ({ kind }) => kind === 'settings-rolled-back')).body.detail).toContain('not negotiated');
  const command = { id: 'command-1', kind: 'restart-pipeline', arguments: {}, deadline: new Date(Date.now() + 60_000).toISOString() };
  await fleet.send('pi-1', 'command', command);
  expect((await fleet.hear('command-result')).body).toMatchObject({ id: 'command-1', outcome: 'done' });
  const from = fleet.heard.length;
  await fleet.send('pi-1', 'command', command);
  await fleet.hear('command-result', () => true, from);
  expect(media.restarts).toBe(1);
});

test('a snapshot arrives before the word that it was taken', async () => {
  const fleet = await startedFleet();
  await startedAgent(fleet);
  await fleet.hear('hello');
  const deadline = new Date(Date.now() + 60_000).toISOString();
  await fleet.send('pi-1', 'command', { id: 'command-1', kind: 'snapshot', arguments: {}, deadline });
  const { body } = await fleet.hear('command-result');
  expect(body).toMatchObject({ outcome: 'done', detail: expect.stringMatching(/^320x180, \d+ kB$/) });
  expect(fleet.snapshots.map(jpegSize)).toEqual([{ width: 320, height: 180 }]);
  expect(fleet.problems).toEqual([]);
});

test('a failed pipeline is told at once, with what happened', async () => {
  const fleet = await startedFleet();
  const { media } = await startedAgent(fleet);
  await fleet.hear('hello');
  media.say({ kind: 'failed', since: '2026-11-21T12:00:00Z', reason: 'no such device' });
  media.happen('pipeline-failed', 'no such device');
  media.happen('Odd Name!', 'something');
  const health = await fleet.hear('health', (body) => body.media.kind === 'failed');
  expect(health.body.conditions).toContainEqual(expect.objectContaining({ code: 'pipeline-failed', detail: 'no such device' }));
  expect((await fleet.hear('event', ({ kind }) => kind === 'pipeline-failed')).body.detail).toBe('no such device');
  await fleet.hear('event', ({ kind }) => kind === 'media-event');
});

test('a restart finds the same device, the same settings and the next session', async () => {
  const fleet = await startedFleet();
  const first = await startedAgent(fleet);
  const before = await fleet.hear('hello');
  await fleet.send('pi-1', 'desired', desired(7, { AV_VIDEO_WIDTH: 640 }));
  await fleet.hear('applied');
  await first.agent.stop();
  expect((await fleet.hear('presence', ({ state }) => state === 'offline')).body.reason).toBe('stopping');
  fleet.onEnrolment = () => ({ status: 500, body: {} });
  const second = await startedAgent(fleet, { directory: first.stateDirectory });
  expect(second.media.plans[0]?.capture.width).toBe(640);
  expect(second.media.plans[0]?.outputs).toMatchObject([{ location: expect.stringContaining(relayKey) }]);
  const after = await fleet.hear('hello', (_body, { session }) => session.counter > before.session.counter);
  expect(after.body).toMatchObject({ appliedRevision: 7, appliedDigest: 'a'.repeat(64) });
  expect(after.session.counter).toBe(before.session.counter + 1);
});

test('health that an agent could not tell is told by the one that is started after it', async () => {
  const fleet = await startedFleet();
  const { onEnrolment } = fleet;
  fleet.onEnrolment = () => ({ status: 500, body: {} });
  const first = await startedAgent(fleet);
  const file = join(first.stateDirectory, 'health-backlog.json');
  first.media.say({ kind: 'failed', since: '2026-11-21T12:00:00Z', reason: 'no such device' });
  await first.agent.stop();
  await access(file);
  fleet.onEnrolment = onEnrolment;
  const second = await startedAgent(fleet, { directory: first.stateDirectory });
  expect((await fleet.hear('health-backlog')).body.samples).toMatchObject([{ videoBitrateKbps: null, loadAverage1m: expect.any(Number) }]);
  await until('the file gone', 5000, () =>
    access(file).then(
      () => false,
      () => true,
    ),
  );
  await second.agent.stop();
});

test('power comes back and the network does not: the last good settings are in force with the start, which waits for no network', async () => {
  const fleet = await startedFleet();
  const first = await startedAgent(fleet);
  await fleet.hear('hello');
  await fleet.send('pi-1', 'desired', desired(7, { AV_VIDEO_WIDTH: 640 }));
  await fleet.hear('applied');
  await first.agent.stop();
  await fleet.crash();
  const second = await startedAgent(fleet, { directory: first.stateDirectory });
  expect(second.media.plans).toHaveLength(1);
  expect(second.media.plans[0]).toMatchObject({ capture: { width: 640 }, outputs: [{ kind: 'rtmp' }] });
  expect(second.media.plans[0]?.outputs[0]).toMatchObject({ location: expect.stringContaining(relayKey) });
  expect(second.world.ready).toMatchObject([{ deviceId: 'pi-1' }]);
});

test('a credential is lost and a join token is there: the last good settings are in force, until the first ones under the new name', async () => {
  const fleet = await startedFleet();
  const first = await startedAgent(fleet);
  await fleet.hear('hello');
  await fleet.send('pi-1', 'desired', desired(7, { AV_VIDEO_WIDTH: 640 }));
  await fleet.hear('applied');
  await first.agent.stop();
  await writeFile(join(first.stateDirectory, 'credentials.json'), '{');
  fleet.credentials.set('pi-2', credential);
  fleet.onEnrolment = () => ({ status: 201, body: { deviceId: 'pi-2', credential } });
  const second = await startedAgent(fleet, { directory: first.stateDirectory, hasLostCredentials: true });
  expect(second.media.plans).toMatchObject([{ capture: { width: 640 }, outputs: [{ kind: 'rtmp' }] }]);
  const { body } = await fleet.hear('hello', (_body, { deviceId }) => deviceId === 'pi-2');
  expect(body).toMatchObject({ appliedRevision: 0, appliedDigest: null });
  await second.agent.stop();
  const from = fleet.heard.length;
  const third = await startedAgent(fleet, { directory: first.stateDirectory });
  expect(third.media.plans).toMatchObject([{ capture: { width: 640 }, outputs: [{ kind: 'rtmp' }] }]);
  await fleet.hear('hello', () => true, from);
  await fleet.send('pi-2', 'desired', desired(1, { AV_VIDEO_WIDTH: 320 }, 'b'));
  expect((await fleet.hear('applied', ({ revision }) => revision === 1)).body).toMatchObject({ outcome: 'applied', inForceRevision: 1 });
  expect(third.media.plans.at(-1)?.capture.width).toBe(320);
});

test('without a fleet it streams where its environment says', async () => {
  const settings = { AV_STREAM_URL: 'rtmp://own.example/live', AV_STREAM_KEY: 'own-secret' };
  const { media, world, lines } = await startedAgent(null, { settings });
  expect(media.plans).toMatchObject([{ outputs: [{ location: 'rtmp://own.example/live/own-secret' }] }]);
  expect(world.ready).toMatchObject([{ deviceId: null }]);
  expect(lines.join('')).not.toContain('own-secret');
});

test('a whole run writes no secret into its log, at the most talkative level', async () => {
  const fleet = await startedFleet();
  const { media, lines, agent } = await startedAgent(fleet);
  await fleet.hear('hello');
  await fleet.send('pi-1', 'desired', desired(1, { AV_STREAM_URL: 'rtmp://elsewhere/live', AV_STREAM_KEY: 'device-secret' }));
  await fleet.hear('applied', ({ revision }) => revision === 1);
  await fleet.send('pi-1', 'desired', desired(2, { AV_STREAM_KEY: 'wrong secret!' }));
  await fleet.hear('applied', ({ revision }) => revision === 2);
  await fleet.sendRaw('msl/v1/d/pi-1/desired', '{"v":1,"body":"malformed-secret"');
  media.fails = () => 'not negotiated';
  await fleet.send('pi-1', 'desired', desired(3, { AV_VIDEO_WIDTH: 320, AV_STREAM_KEY: 'other-secret' }));
  await fleet.hear('applied', ({ revision }) => revision === 3);
  fleet.refusals = [5];
  const from = fleet.heard.length;
  fleet.dropConnections();
  await fleet.hear('hello', () => true, from);
  await agent.stop();
  expect(lines.length).toBeGreaterThan(8);
  const everything = lines.join('') + JSON.stringify(fleet.heard);
  for (const secret of [joinToken, credential, 'relay-secret', 'device-secret', 'wrong secret', 'malformed-secret', 'other-secret']) {
    expect(everything).not.toContain(secret);
  }
});

test('a board that has lost the time keeps no hours by the time at which it was last on, and follows them when it has the time again', async () => {
  const directory = await temporaryDirectory();
  const settings = { AV_STREAM_URL: 'rtmp://h/live', AV_STREAM_SCHEDULE: 'Fr 19:00-22:00', AV_TIME_ZONE: 'UTC' };
  const fridayMs = Date.parse('2026-11-20T18:50:00Z');
  const before = await startedAgent(null, { directory, settings, clock: manualClock(fridayMs) });
  expect(before.media.plans.at(-1)?.outputs).toEqual([]);
  await before.agent.stop();

  const clock = manualClock(fridayMs);
  const { media, lines } = await startedAgent(null, { directory, settings, clock, machineClock: false });
  await clock.advance(1_200_000);
  expect(media.plans.at(-1)?.outputs).toEqual([]);
  expect(lines.join('')).toContain('waits for the time of day');
  clock.correctWallClock(7 * 86_400_000);
  await clock.advance(30_000);
  expect(media.plans.at(-1)?.outputs).toMatchObject([{ kind: 'rtmp' }]);
});
