/** What disks do to a recording, on real disks: and the stream beside it goes on, in each case. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mendSegment } from '#device/recording/mend.ts';
import { until } from '../../until.ts';
import { type SupervisedHost, startHost, stateDirectory } from '../media/supervised-host.ts';
import { testPlan } from '../media/test-plan.ts';
import { TestRelay } from '../media/test-relay.ts';
import { probeFile } from '../recording/probe.ts';
import { noSmallDisk, smallDisk } from '../recording/small-disk.ts';

const megabyte = 1024 * 1024;
let relay: TestRelay;

beforeAll(async () => {
  relay = await TestRelay.start();
});
afterAll(() => relay.stop());

async function recordTo(directory: string): Promise<SupervisedHost> {
  const host = await startHost();
  await host.supervisor.apply(testPlan({ target: relay.target, recording: { segmentS: 600, directory }, bitrateKbps: 1000 }));
  await host.untilStreaming();
  return host;
}

const fault = (host: SupervisedHost) => host.recording()?.recording?.fault;
const isRecording = (host: SupervisedHost) => host.recording()?.state.kind === 'streaming';

/** The relay is sent more than before, over the connection that there was. */
async function streamGoesOn(host: SupervisedHost): Promise<void> {
  const relayed = () => host.status().outputs.find(({ kind }) => kind === 'rtmp');
  const before = relayed()?.bytesSent ?? 0;
  await until('more bytes at the relay', 5000, () => (relayed()?.bytesSent ?? 0) > before + 50_000);
  expect(relayed()).toMatchObject({ connections: 1, droppedGroups: 0, state: { kind: 'streaming' } });
  expect(host.status().media.kind).toBe('running');
}

describe.skipIf(noSmallDisk !== null)('a recording on a disk of its own', () => {
  it('pauses before the disk is full, keeps what it has, and goes on when there is room', async () => {
    const disk = await smallDisk(24);
    const directory = join(disk.path, 'recordings');
    const host = await recordTo(directory);
    await until('a recording', 5000, () => isRecording(host));
    // An eighth of a small disk is kept for its system.
    await disk.fill('ballast', 21 * megabyte);
    await until('a pause', 10_000, () => fault(host) === 'disk-full');
    expect(host.recording()?.state).toMatchObject({ kind: 'waiting', lastError: expect.stringContaining('are free') });
    await streamGoesOn(host);
    const [file = ''] = await readdir(directory);
    expect((await probeFile(join(directory, file))).complaints).toBe('');

    await disk.remove('ballast');
    await until('the recording again', 10_000, () => isRecording(host) && fault(host) === null);
    expect(await readdir(directory)).toHaveLength(2);
    expect(host.events.map(({ event }) => event).filter((event) => event.startsWith('recording-'))).toEqual([
      'recording-started',
      'recording-paused',
      'recording-resumed',
    ]);
  });

  it('survives a disk that is filled to its last byte by somebody else', async () => {
    const disk = await smallDisk(24);
    const directory = join(disk.path, 'recordings');
    const host = await recordTo(directory);
    await until('a recording', 5000, () => isRecording(host));
    await disk.fill('ballast', 30 * megabyte).catch(() => undefined);
    await until('a pause', 10_000, () => fault(host) === 'disk-full');
    await streamGoesOn(host);
    await disk.remove('ballast');
    await until('the recording again', 10_000, () => isRecording(host));
    await host.supervisor.stop();
    for (const name of await readdir(directory)) {
      expect((await mendSegment(join(directory, name))).frames).toBeGreaterThan(0);
      expect((await probeFile(join(directory, name))).complaints).toBe('');
    }
  });

  it('waits for a disk that is read-only, and says so', async () => {
    const disk = await smallDisk(24);
    await disk.remount('ro');
    const host = await recordTo(join(disk.path, 'recordings'));
    await until('a fault', 10_000, () => fault(host) === 'failed');
    expect(host.recording()?.state).toMatchObject({ kind: 'waiting', lastError: 'the disk is read-only' });
    await streamGoesOn(host);
    await disk.remount('rw');
    await until('a recording', 10_000, () => isRecording(host));
  });
});

it('a directory that is removed while it is written is made anew within a second', async () => {
  const state = await stateDirectory();
  const host = await startHost(state);
  const directory = join(state, 'recordings');
  await host.supervisor.apply(testPlan({ target: relay.target, recording: { segmentS: 600 } }));
  await host.untilStreaming();
  await until('a recording', 5000, () => isRecording(host));
  await rm(directory, { recursive: true });
  await until('another file', 5000, async () => (await readdir(directory)).length === 1 && isRecording(host));
  await streamGoesOn(host);
});

it('a file where the directory should be is told in words', async () => {
  const host = await recordTo('/dev/null');
  await until('a fault', 10_000, () => fault(host) === 'failed');
  expect(host.recording()?.state).toMatchObject({ lastError: 'the directory of the recordings is no directory' });
  await streamGoesOn(host);
});

it.runIf(noSmallDisk !== null)(`(left out here: ${noSmallDisk})`, () => undefined);
