import { expect, test } from 'vitest';
import { parseWifiRate, parseWifiSignal } from '#device/health/wifi.ts';

test('a driver that gives quality instead of dBm tells no level', () => {
  expect(parseWifiSignal(' wlan0: 0000   48.  62.  0 \n')).toBeUndefined();
  expect(parseWifiSignal(' wlp2s0: 0000   48.  -62.  -256 \n')).toEqual({ networkInterface: 'wlp2s0', signalDbm: -62 });
});

test('the rate of the link, or none', () => {
  expect(parseWifiRate('Connected to 00:00\n\trx bitrate: 1.0 MBit/s\n\ttx bitrate: 433.3 MBit/s VHT-MCS 9\n')).toBe(433.3);
  expect(parseWifiRate('Not connected.\n')).toBeUndefined();
});
