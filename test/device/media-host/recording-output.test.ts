/** The recording of a real capture in a real media host, on the machine's own disk. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '#device/media/clock.ts';
import { RecordingOutput } from '#device/media-host/recording-output.ts';
import { TagBus } from '#device/media-host/tag-bus.ts';
import { scanSegment } from '#device/recording/flv-scanner.ts';
import { until } from '../../until.ts';
import { startHost, stateDirectory } from '../media/supervised-host.ts';
import { testPlan } from '../media/test-plan.ts';
import { segmentNames } from '../recording/kill-rounds.ts';
import { probeFile } from '../recording/probe.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { makeTag } from './tags.ts';

describe('a recording', () => {
  it('is cut at keyframes into files that each play alone, without a frame missing between them', { timeout: 60_000 }, async () => {
    const state = await stateDirectory();
    const host = await startHost(state);
    await host.supervisor.apply(testPlan({ recording: { segmentS: 3 } }));
    const directory = join(state, 'recordings');
    await until('three files', 40_000, async () => (await segmentNames(directory)).length >= 3);
    await host.supervisor.stop();
    expect(host.events.map(({ event }) => event)).not.toContain('media-host-lost');

    const names = (await readdir(directory)).toSorted();
    expect(names.length).toBeGreaterThanOrEqual(3);
    for (const [index, name] of names.entries()) {
      expect(name).toMatch(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.flv$/);
      const file = await probeFile(join(directory, name));
      expect(file.complaints).toBe('');
      expect(file.startsWithKeyframe).toBe(true);
      expect(file.firstVideoMs).toBeLessThanOrEqual(1);
      // The last one may have been begun in the moment of the stop: of it a keyframe may be all there is.
      if (index === names.length - 1) continue;
      expect(file.videoPackets).toBe(90);
      expect(file.audioPackets).toBeGreaterThan(0);
    }
    expect(host.events.map(({ event }) => event)).toContain('recording-started');
  });
});

/** The output alone, over a bus that a test fills. */
async function outputAlone(clock: Clock) {
  const directory = join(await temporaryDirectory(), 'recordings');
  const bus = new TagBus();
  const plan = { id: 'recording', kind: 'recording', target: 'recordings', directory, segmentS: 1 } as const;
  const nothing = (): void => undefined;
  const output = new RecordingOutput({ plan, directory, bus, clock, random: () => 0.5, onState: nothing, onEvent: nothing });
  bus.publish(makeTag('video-header'));
  output.start();
  const group = (atMs: number, bytes: number): void => {
    for (let frame = 0; frame < 10; frame += 1) bus.publish(makeTag(frame === 0 ? 'keyframe' : 'frame', atMs + frame * 33, bytes));
  };
  const untilTaken = () =>
    until('an empty queue', 10_000, () => {
      output.advance();
      return output.status().queuedBytes === 0;
    });
  return { directory, output, group, untilTaken };
}

it('what a slow disk does not take is dropped by whole groups, and counted', async () => {
  const { directory, output, group, untilTaken } = await outputAlone(systemClock);
  // 24 MB in no time: no disk takes that, and 16 MB may wait.
  for (let index = 0; index < 40; index += 1) {
    group(index * 330, 60_000);
    output.advance();
  }
  const { droppedGroups, queuedBytes } = output.status();
  expect(queuedBytes).toBeLessThanOrEqual(16 * 1024 * 1024);
  expect(droppedGroups).toBeGreaterThan(10);
  await untilTaken();
  output.stop();
  await output.settled();
  let frames = 0;
  for (const name of await segmentNames(directory)) {
    const bytes = await readFile(join(directory, name));
    const facts = scanSegment(bytes);
    expect([facts.wholeBytes, facts.frames % 10]).toEqual([bytes.length, 0]);
    frames += facts.frames;
  }
  expect(frames + droppedGroups * 10).toBe(400);
});

it('a clock that is set back while it records: each file has a name of its own, and none is overwritten', async () => {
  let offsetMs = 0;
  const clock: Clock = { ...systemClock, nowMs: () => Date.parse('2026-11-21T10:00:00Z') + offsetMs };
  const { directory, output, group, untilTaken } = await outputAlone(clock);
  for (const [index, hourMs] of [0, -3_600_000, 0, -3_600_000].entries()) {
    offsetMs = hourMs + 500;
    group(index * 330, 100);
    await untilTaken();
  }
  output.stop();
  await output.settled();
  const names = await segmentNames(directory);
  expect(names).toEqual([
    '2026-11-21T09-00-00Z.flv',
    '2026-11-21T09-00-00Z-2.flv',
    '2026-11-21T10-00-00Z.flv',
    '2026-11-21T10-00-00Z-2.flv',
  ]);
  for (const name of names) expect(scanSegment(await readFile(join(directory, name))).frames).toBe(10);
});

it('stopped twice, or before the first picture, it leaves nothing behind', async () => {
  const { directory, output, untilTaken } = await outputAlone(systemClock);
  await untilTaken();
  output.stop();
  output.stop();
  await output.settled();
  expect(await readdir(directory).catch(() => [])).toEqual([]);
  expect(output.status().state).toEqual({ kind: 'stopped' });
});
