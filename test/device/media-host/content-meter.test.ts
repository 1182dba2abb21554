/** What is in real pipelines' sound and picture, as the media host tells it: built by the planner's own parts. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { contentConditions, nothingWatched, watchContent } from '#device/health/content-watch.ts';
import * as capture from '#device/plan/capture.ts';
import type { MediaFigures } from '#protocol/media.ts';
import { processOf } from '../../processes.ts';
import { until } from '../../until.ts';
import { startHost, stateDirectory } from '../media/supervised-host.ts';
import { testPlan } from '../media/test-plan.ts';
import { description, moving, picture, use } from './content-pipeline.ts';

const sound = (source: string) => capture.elementSound(`audiotestsrc is-live=true ${source}`, use);
const tone = sound('wave=sine freq=440 volume=0.1');

type Row = {
  readonly name: string;
  readonly video: string;
  readonly audio: string;
  readonly conditions: readonly string[];
  readonly expected: (figures: MediaFigures) => void;
};

const levels = (figures: MediaFigures) => figures.sound?.channels[0] ?? { peakDbfs: Number.NaN, rmsDbfs: Number.NaN, clippedSamples: -1 };

const rows: readonly Row[] = [
  {
    name: 'a tone and a picture that moves',
    video: moving,
    audio: tone,
    conditions: [],
    expected: (figures) => {
      // A tenth of full scale; a sine's RMS is 3 dB below its peak.
      expect(levels(figures)).toEqual({ peakDbfs: expect.closeTo(-20, 0), rmsDbfs: expect.closeTo(-23, 0), clippedSamples: 0 });
      expect(figures.sound?.channels).toHaveLength(1);
      expect(figures.picture?.stillS).toBe(0);
      expect(figures.picture?.lumaMax).toBeGreaterThan(150);
    },
  },
  {
    name: 'digital silence',
    video: moving,
    audio: sound('wave=silence'),
    conditions: ['audio-silent'],
    expected: (figures) => expect(levels(figures)).toEqual({ peakDbfs: -100, rmsDbfs: -100, clippedSamples: 0 }),
  },
  {
    name: 'a quiet room',
    video: moving,
    audio: sound('wave=white-noise volume=0.0005'),
    conditions: ['audio-silent'],
    expected: (figures) => {
      expect(levels(figures).rmsDbfs).toBeGreaterThan(-80);
      expect(levels(figures).rmsDbfs).toBeLessThan(-60);
    },
  },
  {
    name: 'a tone ten times too loud',
    video: moving,
    audio: sound('wave=sine freq=440 volume=1 ! audioconvert ! audioamplify amplification=10'),
    conditions: ['audio-clipping'],
    expected: (figures) => {
      expect(levels(figures).peakDbfs).toBe(0);
      expect(levels(figures).clippedSamples).toBeGreaterThan(5000);
    },
  },
  {
    name: 'as loud as it can be without a flat top',
    video: moving,
    audio: sound('wave=sine freq=440 volume=0.99'),
    conditions: [],
    expected: (figures) => {
      expect(levels(figures).peakDbfs).toBeGreaterThan(-0.2);
      expect(levels(figures).clippedSamples).toBe(0);
    },
  },
  {
    name: 'two channels, one of them dead',
    video: moving,
    audio: sound('wave=sine freq=440 volume=0.1 ! audio/x-raw,channels=2 ! audiopanorama panorama=-1'),
    conditions: [],
    expected: (figures) => {
      expect(figures.sound?.channels).toHaveLength(2);
      expect(figures.sound?.channels[1]?.peakDbfs).toBe(-100);
      expect(figures.sound?.channels[0]?.peakDbfs).toBeGreaterThan(-24);
    },
  },
  {
    name: 'black',
    video: 'videotestsrc is-live=true pattern=black',
    audio: tone,
    conditions: ['picture-black', 'picture-frozen'],
    expected: (figures) => expect(figures.picture).toMatchObject({ lumaMean: 16, lumaMax: 16 }),
  },
  {
    name: 'a picture that stands still',
    video: 'videotestsrc is-live=true pattern=smpte100',
    audio: tone,
    conditions: ['picture-frozen'],
    expected: (figures) => expect(figures.picture?.lumaMax).toBeGreaterThan(150),
  },
  {
    name: 'noise, as a sensor in the dark has it',
    video: 'videotestsrc is-live=true pattern=snow ! videobalance contrast=0.08',
    audio: tone,
    conditions: ['picture-black'],
    expected: (figures) => expect(figures.picture?.stillS).toBe(0),
  },
];

test.each(rows)('$name', { timeout: 30_000 }, async ({ video, audio, conditions, expected }) => {
  const host = await startHost();
  const plan = testPlan({ picture, description: description(video, audio) });
  expect(await host.supervisor.apply(plan)).toEqual({ kind: 'applied' });
  const isStill = conditions.includes('picture-frozen');
  // The first sample may hold what came while everything started.
  const figures = await until('figures of sound and picture', 15_000, () => {
    const latest = host.supervisor.status()?.figures ?? null;
    const isComplete = latest?.sound !== undefined && latest.picture !== undefined && latest.framesTotal > 60;
    return isComplete && (!isStill || (latest.picture?.stillS ?? 0) >= 2) ? latest : null;
  });
  expected(figures);
  expect(contentConditions(watchContent(nothingWatched, figures, 0)).map(({ code }) => code)).toEqual(conditions);
});

test('a machine that stands still for a moment while it starts does not keep the picture away', { timeout: 60_000 }, async () => {
  const plan = testPlan({ picture, description: description(moving, tone) });
  // Sound and pictures begin at some moment among these, and what comes first of both then hangs on who is quicker.
  for (let moment = 100; moment < 220; moment += 10) {
    const directory = await stateDirectory();
    const host = await startHost(directory);
    const applied = host.supervisor.apply(plan);
    await delay(moment);
    const pid = Number(processOf(directory, 'media-host'));
    process.kill(pid, 'SIGSTOP');
    await delay(700);
    process.kill(pid, 'SIGCONT');
    expect(await applied, `stood still after ${moment} ms`).toEqual({ kind: 'applied' });
    await host.supervisor.stop();
  }
});
