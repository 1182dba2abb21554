import { expect, it } from 'vitest';
import { hasComeBack, type NetworkFacts, NetworkWatch, parseRoutes } from '#device/media-host/network-watch.ts';
import { manualClock } from '../manual-clock.ts';

const table = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
wlan0	00000000	0100A8C0	0003	0	0	600	00000000	0	0	0
lo	0000007F	00000000	0001	0	0	0	000000FF	0	0	0
`;
const table6 = `00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 1 0 00000003    wlan0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 1 0 00200200       lo
fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 1 0 00000001    wlan0
`;

it('reads routes, without those of the machine to itself', () => {
  expect(parseRoutes(table, table6)).toEqual(['route wlan0 00000000 0100A8C0', 'route6 fe800000000000000000000000000001 wlan0']);
  expect(parseRoutes('', '')).toEqual([]);
});

it.each([
  ['nothing has changed', ['link eth0'], ['link eth0'], false],
  ['a link has come', [], ['link eth0'], true],
  ['a route has come', ['link eth0'], ['link eth0', 'route eth0 0 1'], true],
  ['all has gone', ['link eth0', 'route eth0 0 1'], [], false],
  ['one went and another came', ['link eth0'], ['link wlan0'], true],
])('%s', (_, before, now, expected) => {
  expect(hasComeBack(new Set(before), new Set(now))).toBe(expected);
});

it('tells a return once, and nothing after its end', async () => {
  const clock = manualClock();
  let facts: NetworkFacts = new Set(['link eth0']);
  let returns = 0;
  const watch = new NetworkWatch(
    clock,
    () => {
      returns += 1;
    },
    () => facts,
  );
  watch.start();
  await clock.advance(3000);
  facts = new Set();
  await clock.advance(3000);
  expect(returns).toBe(0);
  facts = new Set(['link eth0']);
  await clock.advance(1000);
  expect(returns).toBe(1);
  await clock.advance(5000);
  expect(returns).toBe(1);
  watch.stop();
  watch.stop();
  expect(clock.waitingTimers()).toBe(0);
});

it('finds this machine’s own links without complaint', async () => {
  const clock = manualClock();
  const watch = new NetworkWatch(clock, () => undefined);
  watch.start();
  await clock.advance(1000);
  watch.stop();
});
