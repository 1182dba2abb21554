/** What is in real pipelines' sound and picture, as the media host tells it: built by the planner's own parts. */
import { createSocket } from 'node:dgram';
import { expect, onTestFinished, test } from 'vitest';
import { contentConditions, nothingWatched, watchContent } from '#device/health/content-watch.ts';
import * as capture from '#device/plan/capture.ts';
import type { MediaFigures } from '#protocol/media.ts';
import { until } from '../../until.ts';
import { startHost } from '../media/supervised-host.ts';
import { testPlan } from '../media/test-plan.ts';

const picture = { width: 320, height: 180, framesPerSecond: 30 };
const use = { format: { rateHz: 16_000, bitsPerSecond: 64_000 }, hasProbe: true };

function description(videoSource: string, audio: string): string {
  return [
    capture.muxer,
    `${capture.elementPictures(videoSource, picture)} ! tee name=${capture.rawTee}`,
    `${capture.rawTee}. ! queue max-size-buffers=4 ! x264enc name=encoder tune=zerolatency speed-preset=ultrafast key-int-max=30`,
    '! video/x-h264,profile=high ! h264parse ! queue ! mux.',
    capture.pictureProbe(),
    audio,
  ].join(' ');
}

const sound = (source: string) => capture.elementSound(`audiotestsrc is-live=true ${source}`, use);
const moving = 'videotestsrc is-live=true pattern=smpte75 horizontal-speed=2';
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
    const isComplete = latest?.sound !== undefined && latest.picture !== undefined && latest.framesTotal > 90;
    return isComplete && (!isStill || (latest.picture?.stillS ?? 0) >= 2) ? latest : null;
  });
  expected(figures);
  expect(contentConditions(watchContent(nothingWatched, figures, 0)).map(({ code }) => code)).toEqual(conditions);
});

/**
 * A source whose clock is 0.15 % too fast, over the network of this machine: 15 ms each ten seconds.
 * Eight hours of a tenth of a per cent are in drift-servo.test.ts, faster than real time.
 */
test('sound from a wrong clock keeps to the picture, and would not without correction', { timeout: 150_000 }, async () => {
  const withClock = async (change: (audio: string) => string) => {
    const port = await sendSound(16_024);
    const audio = capture.elementSound(`udpsrc port=${port} caps="audio/x-raw,format=S16LE,rate=16000,channels=1,layout=interleaved"`, use);
    const host = await startHost();
    expect(await host.supervisor.apply(testPlan({ picture, description: description(moving, change(audio)) }))).toEqual({
      kind: 'applied',
    });
    return () => host.supervisor.status()?.figures?.audioVideoDriftMs;
  };
  const [corrected, left] = await Promise.all([
    withClock((audio) => audio),
    // Nobody knows this name, so nobody tells it another rate.
    withClock((audio) => audio.replace('name=soundclock', 'name=untold')),
  ]);
  const seen: number[] = [];
  await until('a drift of 80 ms without correction', 130_000, () => {
    seen.push(corrected() ?? 0);
    return Math.abs(left() ?? 0) >= 80;
  });
  expect(Math.max(...seen.map(Math.abs))).toBeLessThan(40);
});

/** A tone in packets of ten milliseconds; the port it goes to. */
async function sendSound(samplesPerSecond: number): Promise<number> {
  const place = createSocket('udp4').bind(0, '127.0.0.1');
  await new Promise((resolve) => place.once('listening', resolve));
  const { port } = place.address();
  await new Promise<void>((resolve) => place.close(resolve));
  const socket = createSocket('udp4');
  const packet = Buffer.alloc(320);
  for (let sample = 0; sample < 160; sample += 1) packet.writeInt16LE(Math.round(3000 * Math.sin((sample * Math.PI) / 20)), sample * 2);
  const begin = performance.now();
  let sent = 0;
  const sending = setInterval(() => {
    for (; sent + 160 <= ((performance.now() - begin) * samplesPerSecond) / 1000; sent += 160) socket.send(packet, port, '127.0.0.1');
  }, 10);
  onTestFinished(() => {
    clearInterval(sending);
    socket.close();
  });
  return port;
}
