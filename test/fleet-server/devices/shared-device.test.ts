import { expect, test } from 'vitest';
import type { LiveDevice, UpwardMessage } from '#fleet-server/devices/live-device.ts';
import { learn } from '#fleet-server/devices/live-transitions.ts';
import { readSharedAgent, writeSharedAgent } from '#fleet-server/devices/shared-device.ts';
import { bodies } from '../api-under-test.ts';

const blank = { id: 'pi-1', media: null, figures: null, recordings: null, versions: null, report: null } as unknown as LiveDevice;
const recordings = {
  count: 3,
  totalBytes: 3e9,
  maximumBytes: 1e10,
  freeBytes: 2e10,
  protectedCount: 1,
  waitingCount: 0,
  unconvertibleCount: 0,
  oldestAt: null,
  newestAt: null,
};
const adaptation = { bitrateKbps: 1200, targetKbps: 3000, floorKbps: 400, limitedBy: 'rtmp', reason: 'rtmp takes no more' };

test('another server learns whatever a device says of itself, save its report, which stands in the store', () => {
  const said = [
    { name: 'hello', body: bodies.hello() },
    { name: 'report', body: bodies.report() },
    { name: 'health', body: { ...bodies.health(), recordings, adaptation } },
  ];
  const heard = said
    .map(({ name, body }) => ({ deviceId: 'pi-1', name, envelope: { body } }) as unknown as UpwardMessage)
    .reduce(learn, blank);
  expect(heard).toMatchObject({ recordings, adaptation });
  const elsewhere = { ...blank, ...readSharedAgent(writeSharedAgent(heard, heard.losses)), report: heard.report };
  expect(elsewhere).toEqual(heard);
});
