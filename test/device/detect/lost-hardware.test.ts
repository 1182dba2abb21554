import { expect, test } from 'vitest';
import { withLostCameras } from '#device/detect/lost-hardware.ts';
import { c270, c920, microphone, server, withDevices } from '../plan/hardware.ts';

const own = microphone(1, { cameraId: c270.id });
const apart = microphone(2);
const both = withDevices(server, [c270], [apart, own]);

test.each([
  ['nothing was ever there', server, null, server],
  ['nothing was there before either', server, server, server],
  ['another camera is there', withDevices(server, [c920]), both, withDevices(server, [c920])],
  ['the camera is gone with its microphone', withDevices(server, [], [apart]), both, both],
  ['its microphone is left', withDevices(server, [], [{ ...own, cameraId: null }]), both, withDevices(server, [c270], [own])],
  ['both microphones are gone', server, both, withDevices(server, [c270], [own])],
])('%s', (_, found, seen, planned) => {
  expect(withLostCameras(found, seen)).toEqual(planned);
});
