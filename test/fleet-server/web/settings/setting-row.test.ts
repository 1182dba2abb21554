import { describe, expect, test } from 'vitest';
import { deviceRow, levelRow } from '#fleet-server/web/settings/setting-row.ts';
import type { DeviceSetting, ShownValue } from '#protocol/model/settings.ts';

const plain = (value: number): ShownValue => ({ kind: 'plain', value });

const setting = (change: Partial<DeviceSetting>): DeviceSetting => ({
  key: 'AV_VIDEO_BITRATE',
  desired: plain(2500),
  desiredLevel: 'default',
  inForce: plain(2500),
  inForceLevel: 'default',
  state: 'applied',
  reason: null,
  levels: {},
  ...change,
});

describe('a setting of a device', () => {
  test('that nobody set: the field is empty and says what is inherited', () => {
    expect(deviceRow(setting({}), 'device')).toMatchObject({
      own: null,
      inherited: '2500 kbit/s',
      device: { inForce: '2500 kbit/s', wanted: null },
    });
  });

  test('on its way: what is in force and what is wanted, with their levels', () => {
    const row = deviceRow(
      setting({ desired: plain(1800), desiredLevel: 'device', state: 'pending', levels: { device: plain(1800) } }),
      'device',
    );
    expect(row).toMatchObject({
      own: plain(1800),
      device: { state: 'pending', inForce: '2500 kbit/s', inForceLevel: 'default', wanted: { words: '1800 kbit/s', level: 'device' } },
    });
  });

  test('at the level of the fleet, when the device sets it too: says that it has no effect here', () => {
    const row = deviceRow(
      setting({ desired: plain(1800), desiredLevel: 'device', levels: { fleet: plain(2000), device: plain(1800) } }),
      'fleet',
    );
    expect(row?.own).toEqual(plain(2000));
    expect(row?.warning).toContain('This device');
  });

  test('that a weaker level sets: unsetting goes back to that one', () => {
    const row = deviceRow(
      setting({ desired: plain(1800), desiredLevel: 'device', levels: { fleet: plain(2000), device: plain(1800) } }),
      'device',
    );
    expect(row?.inherited).toBe('2000 kbit/s');
  });

  test('a secret is never a value', () => {
    const secret: ShownValue = { kind: 'secret', setAt: null };
    const row = deviceRow(
      setting({
        key: 'AV_STREAM_KEY',
        desired: secret,
        inForce: secret,
        desiredLevel: 'device',
        inForceLevel: 'device',
        levels: { device: secret },
      }),
      'device',
    );
    expect(row?.device?.inForce).toBe('set');
  });

  test('of a newer server is left out', () => {
    expect(deviceRow(setting({ key: 'AV_FROM_THE_FUTURE' }), 'device')).toBeNull();
  });
});

describe('a setting of the fleet', () => {
  const fleet = {
    level: 'fleet',
    scope: '',
    settings: [{ key: 'AV_VIDEO_WIDTH', value: plain(640), setAt: '2026-01-05T12:00:00.000Z', setBy: 'admin' }],
  } as const;
  test('that is set says who did', () => {
    expect(levelRow('AV_VIDEO_WIDTH', { ...fleet, settings: [...fleet.settings] }, (_at, by) => `by ${by}`)).toMatchObject({
      own: plain(640),
      origin: 'by admin',
    });
  });
  test('the stream’s target comes from the relay, not from stream.py’s default', () => {
    expect(levelRow('AV_STREAM_URL', { ...fleet, settings: [] }, () => '').inherited).toBe('given by the fleet');
  });
});
