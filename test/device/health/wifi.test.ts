import { expect, test } from 'vitest';
import { parseWifiRate, parseWifiSignal } from '#device/health/wifi.ts';

test('a driver that gives quality instead of dBm tells no level', () => {
  expect(parseWifiSignal(' wlan0: 0000   48.  62.  0 \n')).toBeUndefined();
  expect(parseWifiSignal(' wlp2s0: 0000   48.  -62.  -256 \n')).toEqual({ networkInterface: 'wlp2s0', signalDbm: -62 });
});

const two = ` face | tus | link level noise |
 wlan0: 0000   20.  -85.  -256        0
 wlan1: 0000   60.  -50.  -256        0
`;
const head = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';
const route = (name: string, metric: number, destination = '00000000', mask = '00000000') =>
  `${name}\t${destination}\t0101A8C0\t0003\t0\t0\t${metric}\t${mask}\t0\t0\t0\n`;

test.each([
  ['the only default route', route('wlan1', 600), 'wlan1'],
  ['the default route that is preferred', route('wlan0', 601) + route('wlan1', 600), 'wlan1'],
  ['the default route, where a cable has a better one', route('eth0', 100) + route('wlan1', 600), 'wlan1'],
  ['no default route: the first', route('wlan1', 0, '0001A8C0', '00FFFFFF'), 'wlan0'],
  ['none known: the first', '', 'wlan0'],
])('of two radios the one that has %s', (_, routes, expected) => {
  expect(parseWifiSignal(two, head + routes)?.networkInterface).toBe(expected);
});

test('a radio that has the route and gives no dBm is not spoken for by another', () => {
  const wireless = ' wlan0: 0000   20.  -85.  -256\n wlan1: 0000   48.  62.  0\n';
  expect(parseWifiSignal(wireless, head + route('wlan1', 600))).toBeUndefined();
});

test('the rate of the link, or none', () => {
  expect(parseWifiRate('Connected to 00:00\n\trx bitrate: 1.0 MBit/s\n\ttx bitrate: 433.3 MBit/s VHT-MCS 9\n')).toBe(433.3);
  expect(parseWifiRate('Not connected.\n')).toBeUndefined();
});
