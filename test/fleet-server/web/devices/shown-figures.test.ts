import { expect, test } from 'vitest';
import { shownFigures } from '#fleet-server/web/devices/shown-figures.ts';
import { aDevice, noon } from './a-device.ts';

const figures = { framesPerSecond: 29.97, videoBitrateKbps: 2480, audioBitrateKbps: 128, framesTotal: 1, width: 1280, height: 720 };

test('what a connected device says is shown', () => {
  expect(shownFigures(aDevice({ figures }))).toMatchObject({
    frames: '30.0 fps',
    encoderBitrate: '2.48 Mbit/s',
    size: '1280×720',
    relayBitrate: '–',
  });
});

test('what a device said before it went away is not shown as if it were now', () => {
  const device = aDevice({ figures, presence: { state: 'offline', since: noon, reason: 'connection-lost' } });
  expect(shownFigures(device)).toMatchObject({ frames: '–', encoderBitrate: '–', size: '–' });
});
