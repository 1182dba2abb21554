import { until } from '../../until.ts';
import { buildInCameras, buildInSoundCard, paintCamera, playTone, plugIn, takeOut, unplug } from '../inside/modules.ts';
import { smallPicture, streamingStation } from '../inside/station.ts';
import { type HeardMoment, hear, isColour, watch } from '../inside/viewer.ts';
import type { Scenario } from '../scenario.ts';

const boundMs = 60_000;
const audibleDecibels = -45;
const backWithinMs = 3000;
/** Tenths of a second. */
const quietMoments = 10;
/** From the third loss on, whoever only waits waits for longer than the aim allows. */
const rounds = 3;

export const microphoneUnplugged: Scenario = {
  name: 'microphone-unplugged',
  title: 'a sound card that is pulled out leaves the picture on air, and is heard again when it is put in',
  boundMs: 300_000,
  async run(laboratory) {
    const { check, figure, undoLater } = laboratory;
    await buildInSoundCard();
    undoLater(() => takeOut('snd-aloop'));
    await buildInCameras(1);
    undoLater(() => takeOut('vivid'));
    await paintCamera('/dev/video0', 'red');
    await playTone(laboratory, 0);
    const station = await streamingStation(laboratory, smallPicture);
    const viewer = await watch(laboratory, station.address);
    const heard = await hear(laboratory, station.address);
    const isAudible = ({ decibels }: HeardMoment) => decibels > audibleDecibels;
    await until('the tone', boundMs, () => heard.some(isAudible));

    for (let round = 1; round <= rounds; round += 1) {
      const pulledAt = performance.now();
      await unplug('sound-card');
      figure(`pulled out, time ${round}: every program has let go of it after`, Math.round(performance.now() - pulledAt), 'ms');
      const from = viewer.frames.length;
      await until('the picture of the camera goes on', boundMs, () =>
        viewer.frames.slice(from).some((frame) => frame.atMs > pulledAt + 3000 && isColour(frame, 'red')),
      );
      await until('silence', boundMs, () => {
        const since = heard.filter(({ atMs }) => atMs > pulledAt).slice(-quietMoments);
        return since.length === quietMoments && !since.some(isAudible);
      });

      const putInAt = performance.now();
      await plugIn('sound-card');
      await playTone(laboratory, 0);
      const back = await until('the tone', boundMs, () => heard.find((moment) => moment.atMs > putInAt && isAudible(moment)));
      const tookMs = Math.round(back.atMs - putInAt);
      check(`put in, time ${round}: the tone is heard after ${tookMs} ms, of ${backWithinMs}`, tookMs <= backWithinMs);
    }
    check('the picture is that of the camera', isColour(viewer.frames.at(-1), 'red'), viewer.frames.at(-1));
    check('the viewer was never cut off', viewer.isWatching());
    check('one connection to the relay all the time', station.relay.publications.length === 1, station.relay.publications.length);
  },
};
