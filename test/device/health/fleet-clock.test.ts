import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { type ClockOffset, FleetClock, measureOffset, offsetFrom } from '#device/health/fleet-clock.ts';
import { systemClock } from '#device/media/clock.ts';
import { manualClock } from '../manual-clock.ts';

const noon = Date.parse('2026-11-21T12:00:00Z');
const header = 'Sat, 21 Nov 2026 12:00:00 GMT';

test('ahead, behind, and how far the truth may be away', () => {
  expect(offsetFrom(header, noon + 500, 0)).toEqual({ offsetMs: 0, precisionMs: 500 });
  expect(offsetFrom(header, noon + 3_600_400, 200)).toEqual({ offsetMs: 3_600_000, precisionMs: 600 });
  expect(offsetFrom(header, noon - 10_000, 1000)).toEqual({ offsetMs: -10_000, precisionMs: 1000 });
});

test.each([
  [undefined, 0],
  ['yesterday', 0],
  [header, 4001],
])('nothing to go by: %s after %d ms', (dateHeader, tookMs) => {
  expect(offsetFrom(dateHeader, noon, tookMs)).toBeNull();
});

test('against a real server', async () => {
  const server = createServer((_request, response) => response.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const measured = await measureOffset(url, systemClock);
  expect(Math.abs(measured?.offsetMs ?? Number.NaN)).toBeLessThanOrEqual(measured?.precisionMs ?? 0);
  const ahead = await measureOffset(url, { ...systemClock, nowMs: () => systemClock.nowMs() + 3_600_000 });
  expect(Math.round((ahead?.offsetMs ?? 0) / 60_000)).toBe(60);
});

test('a server that is away is no error', async () => {
  expect(await measureOffset('http://127.0.0.1:1', systemClock)).toBeNull();
});

test('measured again and again, sooner while there is no answer; a clock that is set shows at once', async () => {
  const clock = manualClock();
  const answers: (ClockOffset | null)[] = [null, { offsetMs: 100, precisionMs: 500 }];
  let asked = 0;
  const fleetClock = new FleetClock('http://fleet', clock, async () => {
    asked += 1;
    return answers.shift() ?? null;
  });
  fleetClock.start();
  await clock.advance(0);
  expect(fleetClock.offset()).toBeNull();
  await clock.advance(30_000);
  expect(fleetClock.offset()).toEqual({ offsetMs: 100, precisionMs: 500 });
  clock.correctWallClock(-3_600_000);
  expect(fleetClock.offset()).toEqual({ offsetMs: -3_599_900, precisionMs: 500 });
  await clock.advance(599_000);
  expect(asked).toBe(2);
  await clock.advance(1000);
  expect(asked).toBe(3);
  fleetClock.stop();
  expect(clock.waitingTimers()).toBe(0);
});

test('without a fleet nothing is measured', () => {
  const clock = manualClock();
  new FleetClock(null, clock).start();
  expect(clock.waitingTimers()).toBe(0);
});
