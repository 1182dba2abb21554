import { expect, it } from 'vitest';
import { describeGovernor, type GovernorState, govern, startGovernor } from '#device/media-host/rate-governor.ts';
import type { UplinkReading } from '#device/media-host/uplink-meter.ts';

const bounds = { minimumKbps: 400, maximumKbps: 2500 };
const good: UplinkReading = { lagMs: 50, deliveredKbps: 2600 };
const slow: UplinkReading = { lagMs: 2000, deliveredKbps: 900 };
const hopeless: UplinkReading = { lagMs: 4000, deliveredKbps: 150 };

type Readings = Readonly<Record<string, UplinkReading>>;

/** Four readings a second. */
function run(state: GovernorState, seconds: number, readings: Readings, startS = 0): GovernorState {
  let now = state;
  for (let tick = 1; tick <= seconds * 4; tick += 1) {
    const nowMs = startS * 1000 + tick * 250;
    const isStreaming = Object.keys(readings).length > 0;
    now = govern(now, { nowMs, bounds, audioKbps: 100, isStreaming, readings: new Map(Object.entries(readings)) });
  }
  return now;
}

it('gives what was asked for while all ways are free', () => {
  const state = run(startGovernor(bounds), 60, { one: good, two: good });
  expect(describeGovernor(state, bounds)).toEqual({ bitrateKbps: 2500, targetKbps: 2500, floorKbps: 400, limitedBy: null, reason: '' });
});

it('follows the slowest', () => {
  const state = run(startGovernor(bounds), 3, { one: good, two: { ...slow, lagMs: 50 } });
  const later = run(state, 1, { one: good, two: slow }, 3);
  expect(describeGovernor(later, bounds)).toMatchObject({ bitrateKbps: 1250, limitedBy: 'two', reason: 'two takes no more' });
});

it('leaves one behind that takes not even the floor, and only for the sake of another', () => {
  const begun = run(startGovernor(bounds), 1, { one: good, two: good });
  const early = run(begun, 20, { one: good, two: hopeless }, 1);
  expect(describeGovernor(early, bounds)).toMatchObject({
    bitrateKbps: 400,
    limitedBy: 'two',
    reason: 'two takes no more, and takes not even the least that the encoder may give',
  });
  const late = run(early, 120, { one: good, two: hopeless }, 21);
  expect(describeGovernor(late, bounds)).toMatchObject({
    bitrateKbps: 2500,
    limitedBy: null,
    reason: 'two is far too slow and is left behind',
  });
  const alone = run(begun, 120, { two: hopeless }, 1);
  expect(describeGovernor(alone, bounds)).toMatchObject({ bitrateKbps: 400, limitedBy: 'two' });
});

it('hears it again when it takes more than the floor for ten seconds', () => {
  const begun = run(startGovernor(bounds), 1, { one: good, two: good });
  const behind = run(begun, 120, { one: good, two: hopeless }, 1);
  const better: UplinkReading = { lagMs: 4000, deliveredKbps: 700 };
  expect(describeGovernor(run(behind, 9, { one: good, two: better }, 121), bounds).bitrateKbps).toBe(2500);
  expect(describeGovernor(run(behind, 12, { one: good, two: better }, 121), bounds)).toMatchObject({ bitrateKbps: 400, limitedBy: 'two' });
});

it('hears it again when the other one has gone', () => {
  const begun = run(startGovernor(bounds), 1, { one: good, two: good });
  const behind = run(begun, 120, { one: good, two: hopeless }, 1);
  expect(describeGovernor(run(behind, 1, { two: hopeless }, 121), bounds)).toMatchObject({ limitedBy: 'two', bitrateKbps: 400 });
});

it('keeps what it knows while nobody streams, and rises from there', () => {
  const low = run(run(startGovernor(bounds), 1, { one: good }), 5, { one: slow }, 1);
  const away = run(low, 20, {}, 6);
  expect(away.kbps).toBe(low.kbps);
  expect(away.voters.size).toBe(0);
  const back = run(away, 1, { one: good }, 26);
  expect(back.kbps).toBe(low.kbps);
  expect(run(back, 60, { one: good }, 27).kbps).toBe(2500);
});

it('gives the whole bitrate where nobody has streamed for a minute, and begins with what was carried when somebody does', () => {
  const low = run(run(startGovernor(bounds), 1, { one: good }), 5, { one: slow }, 1);
  expect(run(low, 60, {}, 6).kbps).toBe(low.kbps);
  const silent = run(low, 3600, {}, 6);
  expect(describeGovernor(silent, bounds)).toMatchObject({ bitrateKbps: 2500, limitedBy: null, reason: '' });
  const unread = govern(silent, { nowMs: 3_607_000, bounds, audioKbps: 100, isStreaming: true, readings: new Map() });
  expect(unread.kbps).toBe(low.kbps);
  expect(run(silent, 1, { one: good }, 3606).kbps).toBe(low.kbps);
  expect(run(unread, 50, {}, 3608).kbps).toBe(low.kbps);
});

it('never leaves its bounds when they change', () => {
  const state = run(startGovernor(bounds), 1, { one: good });
  const narrow = { minimumKbps: 400, maximumKbps: 800 };
  expect(govern(state, { nowMs: 9000, bounds: narrow, audioKbps: 0, isStreaming: true, readings: new Map([['one', good]]) }).kbps).toBe(
    800,
  );
});
