import { expect, test } from 'vitest';
import { usbBudgetMbps } from '#device/plan/usb-bandwidth.ts';
import { c270, camera } from './hardware.ts';

function onBus(port: string, speedMbps: number | null) {
  return camera(port, [], { usb: { id: '1:1', serial: null, port, place: port, speedMbps } });
}

test.each([
  ['a camera alone on USB 2', onBus('1-1', 480), [], 196],
  ['two on one USB 2 bus', onBus('1-1', 480), [onBus('1-2', 480)], 192],
  ['three on one USB 2 bus', onBus('1-1', 480), [onBus('1-2', 480), onBus('1-1.3', 480)], 128],
  ['two on a bus each', onBus('1-1', 480), [onBus('3-1', 480)], 196],
  ['USB 1', onBus('1-1', 12), [], 8],
  ['USB 3', onBus('2-1', 5000), [], 3200],
  ['a speed that is not told', onBus('1-1', null), [], null],
])('%s', (_name, subject, others, mbps) => {
  expect(usbBudgetMbps(subject, [subject, ...others])).toBe(mbps);
});

test('a camera off USB has no budget', () => {
  expect(usbBudgetMbps(camera('module', [], { kind: 'libcamera' }), [c270])).toBeNull();
});
