import { detectHardware } from '#device/detect/detect.ts';
import type { DetectedHardware } from '#device/detect/facts.ts';
import { localMachine } from '#device/detect/local-machine.ts';
import { hardwareFingerprint } from '#device/health/hardware-fingerprint.ts';
import { buildInCameras, buildInSoundCard, takeOut } from '../inside/modules.ts';
import type { Scenario } from '../scenario.ts';

export const detection: Scenario = {
  name: 'detection',
  title: 'two cameras and a sound card are found, and keep their names when they come back in the other order',
  boundMs: 180_000,
  async run({ check, figure, undoLater }) {
    await buildInCameras(2);
    undoLater(() => takeOut('vivid'));
    await buildInSoundCard();
    undoLater(() => takeOut('snd-aloop'));

    const begin = performance.now();
    const first = await detectHardware(localMachine());
    figure('detection', Math.round(performance.now() - begin), 'ms');
    check(
      'two cameras',
      first.cameras.length === 2,
      first.cameras.map(({ id, path, name }) => `${id} ${path} ${name}`),
    );
    check('each has a name of its own', new Set(first.cameras.map(({ id }) => id)).size === 2);
    const sizes = first.cameras.map(({ modes }) => modes.filter(({ width, height }) => width === 640 && height === 360).length);
    check('each gives 640x360 in some format', Math.min(...sizes) > 0, sizes);
    check('the ends of the sound card', first.microphones.length === 2, first.microphones);
    check('nothing to complain of', first.problems.length === 0, first.problems);
    const plugged = await hardwareFingerprint();

    await takeOut('snd-aloop');
    await takeOut('vivid');
    check('the fingerprint tells that they are gone', (await hardwareFingerprint()) !== plugged, plugged);
    const none = await detectHardware(localMachine());
    check('no camera, no microphone', none.cameras.length + none.microphones.length === 0);

    await buildInSoundCard();
    await buildInCameras(2);
    const second = await detectHardware(localMachine());
    check('the same names in the other order', namesOf(second) === namesOf(first), namesOf(second));
  },
};

function namesOf({ cameras, microphones }: DetectedHardware): string {
  return [...cameras, ...microphones]
    .map(({ id }) => id)
    .toSorted()
    .join(' ');
}
