/** Sound and picture with clocks of their own, in real time, judged by what was recorded and not by the device's own meter. */
import { createSocket } from 'node:dgram';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import * as capture from '#device/plan/capture.ts';
import { startHost, stateDirectory } from '../device/media/supervised-host.ts';
import { testPlan } from '../device/media/test-plan.ts';
import { description, picture, use } from '../device/media-host/content-pipeline.ts';
import { isFlash, middle, picturesOf, soundOf, tonesAfterFlashesMs } from '../device/plan/moments.ts';
import { until } from '../until.ts';

/** 0.15 % too fast: 15 ms each ten seconds. */
const microphoneHz = 16_024;
/** One packet holds a picture of I420. */
const seen = { width: 32, height: 18 };
/** Queues and rates find their places first. */
const settleS = 15;
/** A flash is seen with the next picture, and a tone with the next piece: single ones are some 30 ms off, their middle is not. */
const momentsCompared = 15;

/**
 * A camera and a microphone in one room, over the network of this machine: each second a flash and a tone at one moment. The
 * microphone's clock is wrong: it makes more samples to a second than it says.
 * Eight hours of a tenth of a per cent are in drift-servo.test.ts, faster than real time.
 */
test('sound from a wrong clock keeps to the picture, and would not without correction', { timeout: 240_000 }, async () => {
  const [corrected, left] = await Promise.all([
    recordRoom((audio) => audio),
    // Nobody knows this name, so nobody tells it another rate.
    recordRoom((audio) => audio.replace('name=soundclock', 'name=untold')),
  ]);
  const said: number[] = [];
  await until('a drift of 100 ms without correction', 180_000, () => {
    said.push(corrected.saidDriftMs());
    return Math.abs(left.saidDriftMs()) >= 100;
  });
  expect(Math.max(...said.map(Math.abs))).toBeLessThan(40);
  expect(Math.abs(await movedApartMs(await corrected.end()))).toBeLessThan(40);
  expect(Math.abs(await movedApartMs(await left.end()))).toBeGreaterThan(60);
});

async function recordRoom(change: (audio: string) => string) {
  const [pictures, sound] = await Promise.all([freePort(), freePort()]);
  const { width, height } = seen;
  const camera = `udpsrc port=${pictures} caps="video/x-raw,format=I420,width=${width},height=${height},framerate=30/1"`;
  const microphone = `udpsrc port=${sound} caps="audio/x-raw,format=S16LE,rate=16000,channels=1,layout=interleaved"`;
  const folder = await stateDirectory();
  const host = await startHost(folder);
  showRoom(pictures, sound);
  const plan = testPlan({
    picture,
    description: description(camera, change(capture.elementSound(microphone, use))),
    recording: { segmentS: 600, directory: folder },
  });
  expect(await host.supervisor.apply(plan)).toEqual({ kind: 'applied' });
  return {
    saidDriftMs: () => host.supervisor.status()?.figures?.audioVideoDriftMs ?? 0,
    /** The recording. */
    end: async (): Promise<string> => {
      await host.supervisor.stop();
      const [file] = (await readdir(folder)).filter((name) => name.endsWith('.flv'));
      return join(folder, file ?? 'none');
    },
  };
}

/** How much later the tone comes after its flash at the end than at the beginning. */
async function movedApartMs(file: string): Promise<number> {
  const apartMs = await tonesAfterFlashesMs(file, settleS);
  expect(apartMs.length).toBeGreaterThan(2 * momentsCompared);
  return middle(apartMs.slice(-momentsCompared)) - middle(apartMs.slice(0, momentsCompared));
}

/** Pictures and sound as a camera and a microphone make them, by one clock that is right and one that is not. */
function showRoom(pictures: number, sound: number): void {
  const socket = createSocket('udp4');
  const begin = performance.now();
  const { bright, dark } = picturesOf(seen.width, seen.height);
  let picturesSent = 0;
  let samplesSent = 0;
  const sending = setInterval(() => {
    const nowS = (performance.now() - begin) / 1000;
    for (; picturesSent <= nowS * 30; picturesSent += 1) socket.send(isFlash(picturesSent / 30) ? bright : dark, pictures, '127.0.0.1');
    for (; samplesSent + 160 <= nowS * microphoneHz; samplesSent += 160) {
      socket.send(soundOf(samplesSent, 160, microphoneHz), sound, '127.0.0.1');
    }
  }, 5);
  onTestFinished(() => {
    clearInterval(sending);
    socket.close();
  });
}

async function freePort(): Promise<number> {
  const place = createSocket('udp4').bind(0, '127.0.0.1');
  await new Promise((resolve) => place.once('listening', resolve));
  const { port } = place.address();
  await new Promise<void>((resolve) => place.close(resolve));
  return port;
}
