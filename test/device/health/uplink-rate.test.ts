import { expect, test } from 'vitest';
import { UplinkRate } from '#device/health/uplink-rate.ts';
import type { OutputStatus } from '#protocol/media.ts';

const output = (id: string, kind: OutputStatus['kind'], bytesSent: number): OutputStatus => ({
  id,
  kind,
  target: '',
  state: { kind: 'stopped' },
  connections: 0,
  bytesSent,
  droppedGroups: 0,
  queuedBytes: 0,
});

test('what goes over the network, all outputs together', () => {
  const rate = new UplinkRate();
  expect(rate.sample([output('a', 'rtmp', 1000)], 0)).toBeUndefined();
  expect(rate.sample([output('a', 'rtmp', 1_251_000), output('b', 'icecast', 125_000), output('c', 'recording', 9e9)], 10_000)).toBe(1100);
  expect(rate.sample([], 20_000)).toBe(0);
});

test('a new media host counts from nought, and is no negative rate', () => {
  const rate = new UplinkRate();
  rate.sample([output('a', 'rtmp', 5e6)], 0);
  expect(rate.sample([output('a', 'rtmp', 125_000)], 1000)).toBe(1000);
});
