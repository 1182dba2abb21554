import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { detectHardware } from '#device/detect/detect.ts';
import type { DetectedHardware } from '#device/detect/facts.ts';
import { localMachine } from '#device/detect/local-machine.ts';
import { until } from '../../until.ts';
import { openSockets } from '../inside/modules.ts';
import { smallPicture, streamingStation } from '../inside/station.ts';
import { PluggedWebcam } from '../inside/usb/webcam.ts';
import { picture, type WebcamModel } from '../inside/usb/webcam-descriptors.ts';
import { type Colour, isColour, listen, watch } from '../inside/viewer.ts';
import type { Scenario } from '../scenario.ts';

const boundMs = 60_000;
const audibleDecibels = -45;
/** Its like all say the same serial number: it tells nothing. */
const model: WebcamModel = { usbId: '046d:0825', name: 'C270 HD WEBCAM', serial: '200901010001' };

export const webcams: Scenario = {
  name: 'webcams',
  title: 'two USB webcams of one model keep their names and each its microphone, in whatever order they are plugged in',
  boundMs: 400_000,
  async run(laboratory) {
    const { check, figure, undoLater } = laboratory;
    await openSockets();
    const red = { ...model, jpeg: await still('red'), sound: 'silence' } as const;
    const green = { ...model, jpeg: await still('green'), sound: 'tone' } as const;
    const inSocket = new Map<number, PluggedWebcam>();
    const plugIn = async (socket: 1 | 2) => inSocket.set(socket, await PluggedWebcam.plugIn(socket === 1 ? red : green, socket));
    const pullOut = async (socket: 1 | 2) => {
      await inSocket.get(socket)?.pullOut(socket);
      inSocket.delete(socket);
    };
    undoLater(async () => {
      for (const [socket, webcam] of inSocket) await webcam.pullOut(socket);
    });

    await plugIn(1);
    await plugIn(2);
    const begin = performance.now();
    const first = await detectHardware(localMachine());
    figure('detection', Math.round(performance.now() - begin), 'ms');
    const [one, two] = first.cameras;
    const names = first.cameras.map(({ id }) => id);
    check('two webcams, each with a name of its own', first.cameras.length === 2 && one?.id !== two?.id, names);
    check(
      'both are what they say',
      first.cameras.every(({ usb, name }) => usb?.id === model.usbId && name.includes('C270')),
      first.cameras,
    );
    check('each with its own microphone', hasOwnMicrophones(first), first.microphones);
    check('nothing to complain of', first.problems.length === 0, first.problems);

    for (const order of [
      [2, 1],
      [1, 2],
    ] as const) {
      await pullOut(1);
      await pullOut(2);
      for (const socket of order) await plugIn(socket);
      const again = await detectHardware(localMachine());
      figure(`socket ${order.join(', then ')}: the first is now ${again.cameras[0]?.path}, card`, cardOf(again, one?.id), '');
      check('  the same names', again.cameras.map(({ id }) => id).join() === names.join(), again.cameras);
      check('  each with its own microphone', hasOwnMicrophones(again), again.microphones);
    }

    const station = await streamingStation(laboratory, { ...smallPicture, AV_VIDEO_SOURCE: two?.id ?? '' });
    const viewer = await watch(laboratory, station.address);
    await until('the second webcam at the far side', boundMs, () => isColour(viewer.frames.at(-1), 'green'));
    check('its own microphone is heard', (await listen(station.address, 2)) > audibleDecibels);

    await pullOut(2);
    await until('the card, though the other webcam is there', boundMs, () => !isColour(viewer.frames.at(-1), 'green'));
    const cardAt = viewer.frames.at(-1)?.atMs ?? 0;
    await until('some seconds of it', boundMs, () => (viewer.frames.at(-1)?.atMs ?? 0) > cardAt + 5000);
    check('they are of the card', !isColour(viewer.frames.at(-1), 'green') && !isColour(viewer.frames.at(-1), 'red'), viewer.frames.at(-1));
    await plugIn(2);
    await until('the webcam on air again', boundMs, () => isColour(viewer.frames.at(-1), 'green'));

    await pullOut(1);
    await pullOut(2);
    await until('the card', boundMs, () => !isColour(viewer.frames.at(-1), 'green') && !isColour(viewer.frames.at(-1), 'red'));
    await until('silence', boundMs, async () => (await listen(station.address, 1)) < audibleDecibels);
    await plugIn(2);
    const pluggedAt = performance.now();
    const seen = viewer.frames.length;
    await plugIn(1);
    await until('the second webcam again', boundMs, () => isColour(viewer.frames.at(-1), 'green'));
    const back = viewer.frames.slice(seen).find((frame) => isColour(frame, 'green'));
    const tookMs = Math.round((back?.atMs ?? 0) - pluggedAt);
    check(`put in: the webcam is seen after ${tookMs} ms, of 3000`, tookMs <= 3000, tookMs);
    await until('its microphone', boundMs, async () => (await listen(station.address, 1)) > audibleDecibels);
    check('the other webcam was never on air', !viewer.frames.some((frame) => isColour(frame, 'red')));
    check('the viewer was never cut off', viewer.isWatching());
    check('one connection to the relay all the time', station.relay.publications.length === 1, station.relay.publications.length);
    check('no complaint of the protocol', station.fleet.problems.length === 0, station.fleet.problems);
  },
};

async function still(colour: Colour): Promise<Buffer> {
  const size = `video/x-raw,width=${picture.width},height=${picture.height}`;
  const words = ['-q', 'videotestsrc', 'num-buffers=1', `pattern=${colour}`, '!', size, '!', 'jpegenc', '!', 'fdsink'];
  const { stdout } = await promisify(execFile)('gst-launch-1.0', words, { encoding: 'buffer', timeout: boundMs });
  if (stdout.length > picture.longestBytes)
    throw new Error(`expected a JPEG of at most ${picture.longestBytes} bytes, came ${stdout.length}`);
  return stdout;
}

/** By the socket, which is in the name of both. */
function hasOwnMicrophones({ cameras, microphones }: DetectedHardware): boolean {
  return (
    microphones.length === cameras.length &&
    cameras.every(({ id }) => microphones.some((microphone) => microphone.cameraId === id && microphone.id.startsWith(id)))
  );
}

function cardOf({ microphones }: DetectedHardware, cameraId: string | undefined): number {
  return microphones.find((microphone) => microphone.cameraId === cameraId)?.card ?? -1;
}
