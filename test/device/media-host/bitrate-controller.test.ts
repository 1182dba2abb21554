import { describe, expect, it } from 'vitest';
import { type ControllerReading, type ControllerState, control, startController } from '#device/media-host/bitrate-controller.ts';

const bounds = { minimumKbps: 400, maximumKbps: 2500 };
const audioKbps = 100;
const free: ControllerState = { ...startController(bounds, 0), baseLagMs: 50 };
const reading = (atMs: number, lagMs: number, deliveredKbps: number, actualKbps = 2500): ControllerReading => ({
  atMs,
  lagMs,
  deliveredKbps,
  audioKbps,
  actualKbps,
});

describe('one reading', () => {
  it.each([
    ['a free way at its target stays', free, reading(5000, 60, 2600), { kbps: 2500, lastChange: 'none' }],
    ['a keyframe on its way changes nothing', free, reading(5000, 500, 2600), { kbps: 2500, calmSinceMs: null }],
    ['so far behind, the bitrate goes below what gets through', free, reading(5000, 700, 2000), { kbps: 1500, troubleKbps: 2500 }],
    ['by half at first: it may be a hiccup', free, reading(5000, 700, 600), { kbps: 1250, troubleKbps: 2500 }],
    ['a break tells nothing', free, reading(5000, 900, 0), { kbps: 2500 }],
    ['with all delivered it goes down a step', free, reading(5000, 700, 4000), { kbps: 2125 }],
    [
      'it waits for the encoder',
      { ...free, kbps: 1000, congestion: { judgedAtMs: 4500, lagMs: 700 } },
      reading(5000, 900, 600),
      { kbps: 1000 },
    ],
    [
      'a backlog that is worked off is left to it',
      { ...free, kbps: 450, congestion: { judgedAtMs: 4000, lagMs: 1500 } },
      reading(5000, 1400, 600),
      { kbps: 450, congestion: { judgedAtMs: 5000, lagMs: 1400 } },
    ],
    [
      'one that grows is not',
      { ...free, kbps: 1000, troubleKbps: 2500, congestion: { judgedAtMs: 4000, lagMs: 1500 } },
      reading(5000, 1700, 700, 1000),
      { kbps: 460, troubleKbps: 2500 },
    ],
    [
      'below the floor there is nothing to lower',
      { ...free, kbps: 400, congestion: { judgedAtMs: 4000, lagMs: 1500 } },
      reading(5000, 1700, 200, 400),
      { kbps: 400, belowFloorSinceMs: 5000 },
    ],
    [
      'calm for long enough, it rises a step',
      { ...free, kbps: 1000, changedAtMs: 0, lastChange: 'down' as const, calmSinceMs: 1000 },
      reading(5000, 60, 1100, 1000),
      { kbps: 1200, lastChange: 'up', changedAtMs: 5000 },
    ],
    [
      'not so soon',
      { ...free, kbps: 1000, changedAtMs: 0, lastChange: 'down' as const, calmSinceMs: 1500 },
      reading(5000, 60, 1100, 1000),
      { kbps: 1000 },
    ],
    [
      'near what was too much it has patience',
      { ...free, kbps: 1000, troubleKbps: 1200, calmSinceMs: 0 },
      reading(9000, 60, 1100, 1000),
      { kbps: 1000 },
    ],
    ['which ends', { ...free, kbps: 1000, troubleKbps: 1200, calmSinceMs: 0 }, reading(10_000, 60, 1100, 1000), { kbps: 1200 }],
    [
      'too much again, and the patience doubles',
      { ...free, kbps: 1200, troubleKbps: 1200, patienceMs: 10_000 },
      reading(5000, 800, 1000, 1200),
      { patienceMs: 20_000, troubleKbps: 1200 },
    ],
    [
      'what goes well for long is no trouble any more',
      { ...free, kbps: 1200, troubleKbps: 1200, patienceMs: 20_000, calmSinceMs: 0 },
      reading(20_000, 60, 1300, 1200),
      { troubleKbps: null, patienceMs: 10_000 },
    ],
    [
      'held down by another target it learns nothing',
      { ...free, kbps: 1000, calmSinceMs: 0 },
      reading(60_000, 60, 600, 500),
      { kbps: 1000 },
    ],
    ['a long way is not a slow one', { ...free, baseLagMs: null }, reading(5000, 700, 2600), { kbps: 2500, baseLagMs: 700 }],
    ['a target that was lowered by a person is followed', { ...free, kbps: 9000 }, reading(5000, 60, 2600), { kbps: 2500 }],
  ])('%s', (_, state, seen, expected) => {
    expect(control(state, seen, bounds)).toMatchObject(expected);
  });
});

/** A way of so many kbit/s, a target 40 ms away, an encoder that keeps to its bitrate, in steps of a quarter of a second. */
function simulate(capacityKbps: (atS: number) => number, lengthS: number) {
  let state = startController(bounds, 0);
  let backlogKbit = 0;
  const rows: { readonly atS: number; readonly kbps: number; readonly lagMs: number }[] = [];
  const delivered: number[] = [];
  for (let tick = 1; tick <= lengthS * 4; tick += 1) {
    const atS = tick / 4;
    const given = (state.kbps + audioKbps) / 4;
    const taken = Math.min(backlogKbit + given, capacityKbps(atS) / 4);
    // Groups go when they are two seconds old.
    backlogKbit = Math.min(backlogKbit + given - taken, 3 * (state.kbps + audioKbps));
    delivered.push(taken);
    const deliveredKbps = delivered.slice(-4).reduce((sum, kbit) => sum + kbit, 0);
    const lagMs = 40 + Math.round((backlogKbit / (state.kbps + audioKbps)) * 1000);
    state = control(state, { atMs: atS * 1000, lagMs, deliveredKbps, audioKbps, actualKbps: state.kbps }, bounds);
    rows.push({ atS, kbps: state.kbps, lagMs });
  }
  return rows;
}

describe('over a way that', () => {
  it('narrows and widens again, the bitrate follows within seconds and comes back within a minute', () => {
    const rows = simulate((atS) => (atS < 20 || atS >= 60 ? 3000 : 600), 120);
    const at = (seconds: number) => rows.find(({ atS }) => atS >= seconds);
    expect(at(19)?.kbps).toBe(2500);
    expect(at(23)?.kbps).toBeLessThanOrEqual(500);
    expect(Math.max(...rows.map(({ lagMs }) => lagMs))).toBeLessThan(4000);
    expect(at(110)?.kbps).toBe(2500);
  });

  it.each([800, 1000, 1500, 2000, 2400])('stays at %i kbit/s, it settles: no saw, no lasting lag, most of it used', (capacity) => {
    const rows = simulate(() => capacity, 600).filter(({ atS }) => atS > 120);
    const downs = rows.filter(({ kbps }, index) => kbps < (rows[index - 1]?.kbps ?? kbps)).length;
    expect(downs).toBeLessThanOrEqual(20);
    const mean = rows.reduce((sum, { kbps }) => sum + kbps, 0) / rows.length;
    expect(mean).toBeGreaterThan(0.7 * (capacity - audioKbps));
    expect(rows.filter(({ lagMs }) => lagMs > 1000).length / rows.length).toBeLessThan(0.1);
  });

  it('is wide enough, nothing ever changes', () => {
    expect(new Set(simulate(() => 2700, 600).map(({ kbps }) => kbps))).toEqual(new Set([2500]));
  });

  it('is worse than the floor, the floor it stays at', () => {
    const rows = simulate(() => 200, 120);
    expect(rows.at(-1)?.kbps).toBe(400);
  });
});
