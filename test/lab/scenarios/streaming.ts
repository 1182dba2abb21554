import { detectCameras } from '#device/detect/cameras.ts';
import { localMachine } from '#device/detect/local-machine.ts';
import { probe } from '../../e2e/far-side.ts';
import { timeUntil } from '../../until.ts';
import { buildInCameras, buildInSoundCard, paintCamera, playTone, takeOut } from '../inside/modules.ts';
import { firstFrameBoundMs, openStation, smallPicture } from '../inside/station.ts';
import { isColour, listen, watch } from '../inside/viewer.ts';
import type { Scenario } from '../scenario.ts';

/** Digital silence is below -90, the tone that is played at about -20. */
const audibleDecibels = -45;

export const streaming: Scenario = {
  name: 'streaming',
  title: 'picture of a camera, chosen by its name, and sound of a sound card arrive at the relay',
  boundMs: 240_000,
  async run(laboratory) {
    const { check, figure, undoLater } = laboratory;
    await buildInCameras(2);
    undoLater(() => takeOut('vivid'));
    await buildInSoundCard();
    undoLater(() => takeOut('snd-aloop'));

    const [, second] = await detectCameras(localMachine(), (subject, problem) => check(`${subject}: ${problem}`, false));
    await paintCamera(second?.path ?? '', 'green');
    const station = await openStation(laboratory, { ...smallPicture, AV_VIDEO_SOURCE: second?.id ?? '' });
    const firstPublisherMs = await timeUntil('a publisher', firstFrameBoundMs, () => station.relay.publisherId());
    figure('from the start of the agent to its stream at the relay', firstPublisherMs, 'ms');
    const begin = performance.now();
    const { video, audioCodec } = await probe(station.address);
    figure('a player knows the stream after', Math.round(performance.now() - begin), 'ms');
    check('H.264 of 320x180', video?.codec === 'h264' && video.width === 320 && video.height === 180, video);
    check('15 frames a second', Math.abs((video?.framesPerSecond ?? 0) - 15) <= 1, video);
    check('AAC', audioCodec === 'aac', audioCodec);
    const viewer = await watch(laboratory, station.address);
    check('it is the second camera, which shows green', isColour(viewer.frames.at(-1), 'green'), viewer.frames.at(-1));

    const silenceDecibels = await listen(station.address, 2);
    check('silence while nothing plays', silenceDecibels < audibleDecibels, silenceDecibels);
    await playTone(laboratory, 0);
    const toneDecibels = await listen(station.address, 2);
    figure('the tone at the far side', toneDecibels, 'dB');
    check('the tone is heard', toneDecibels > audibleDecibels, toneDecibels);
    check('one connection to the relay', station.relay.publications.length === 1, station.relay.publications.length);
    check('no complaint of the protocol', station.fleet.problems.length === 0, station.fleet.problems);
  },
};
