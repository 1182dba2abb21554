import { until } from '../../until.ts';
import { buildInCameras, buildInSoundCard, paintCamera, playTone, plugIn, takeOut, unplug } from '../inside/modules.ts';
import { smallPicture, streamingStation } from '../inside/station.ts';
import { isColour, listen, watch } from '../inside/viewer.ts';
import type { Scenario } from '../scenario.ts';

const boundMs = 60_000;
const audibleDecibels = -45;

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
    check('the tone is heard', (await listen(station.address, 2)) > audibleDecibels);

    const pulledAt = performance.now();
    await unplug('sound-card');
    figure('pulled out: every program has let go of it after', Math.round(performance.now() - pulledAt), 'ms');
    const from = viewer.frames.length;
    await until('the picture of the camera goes on', boundMs, () =>
      viewer.frames.slice(from).some((frame) => frame.atMs > pulledAt + 3000 && isColour(frame, 'red')),
    );
    await until('silence', boundMs, async () => (await listen(station.address, 1)) < audibleDecibels);

    const putInAt = performance.now();
    await plugIn('sound-card');
    await playTone(laboratory, 0);
    await until('the tone', boundMs, async () => (await listen(station.address, 1)) > audibleDecibels);
    figure('put in: the tone is heard after (a second of listening and its start included)', Math.round(performance.now() - putInAt), 'ms');
    check('the picture is that of the camera', isColour(viewer.frames.at(-1), 'red'), viewer.frames.at(-1));
    check('the viewer was never cut off', viewer.isWatching());
    check('one connection to the relay all the time', station.relay.publications.length === 1, station.relay.publications.length);
  },
};
