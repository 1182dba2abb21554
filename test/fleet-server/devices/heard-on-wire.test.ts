/** Whatever each server has heard, and in whatever order they read it of each other: all come to the same. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergeHeard } from '#fleet-server/devices/heard-on-wire.ts';
import type { LiveDevice, UpwardMessage } from '#fleet-server/devices/live-device.ts';
import { freshness, learn, positionAfter } from '#fleet-server/devices/live-transitions.ts';
import { bodies } from '../api-under-test.ts';

const blank = {
  id: 'pi-1',
  presence: { state: 'online', since: '2026-11-21T12:00:00.000Z', reason: '' },
  session: null,
  media: null,
  figures: null,
  versions: null,
} as unknown as LiveDevice;

type Said = {
  readonly name: 'health' | 'presence' | 'hello';
  readonly counter: number;
  readonly sequence: number;
  readonly server: number;
};

function messageOf({ name, counter, sequence }: Said): UpwardMessage {
  const body = {
    // So that what is shown says which message it is of.
    health: bodies.health(counter * 1000 + sequence),
    presence: bodies.stopping,
    hello: { ...bodies.hello(), versions: { ...bodies.hello().versions, agent: `${counter}.${sequence}` } },
  }[name];
  return {
    deviceId: 'pi-1',
    name,
    envelope: { v: 1, session: { bootId: 'boot', counter }, sequence, sentAt: '', body },
  } as unknown as UpwardMessage;
}

function hear(live: LiveDevice, said: Said): LiveDevice {
  const message = messageOf(said);
  if (freshness(live.session, message) === 'stale') return live;
  return { ...learn(live, message), session: positionAfter(live.session, message) };
}

const merge = (into: LiveDevice, from: LiveDevice): LiveDevice => mergeHeard(into, from) ?? into;

test('two servers come to the same, and the newest of a session is what they come to', () => {
  const said = fc.record({
    name: fc.constantFrom('health', 'presence', 'hello'),
    counter: fc.integer({ min: 1, max: 3 }),
    sequence: fc.integer({ min: 0, max: 9 }),
    server: fc.integer({ min: 0, max: 1 }),
  });
  fc.assert(
    fc.property(fc.array(said, { maxLength: 12 }), (messages) => {
      const heardBy = (server: number) => messages.filter((one) => one.server === server).reduce(hear, blank);
      const [a, b] = [heardBy(0), heardBy(1)];
      const [first, second] = [merge(a, b), merge(b, a)];
      expect(first.session).toEqual(second.session);
      const newestSession = Math.max(...messages.map(({ counter }) => counter));
      const newest = messages.filter(({ name, counter }) => name === 'health' && counter === newestSession).map(({ sequence }) => sequence);
      if (newest.length > 0) {
        const shown = newestSession * 1000 + Math.max(...newest);
        expect([first.figures?.framesPerSecond, second.figures?.framesPerSecond]).toEqual([shown, shown]);
      }
      const isOver = messages.some(({ name, counter }) => name === 'presence' && counter === newestSession);
      if (messages.length > 0) expect(first.session?.over).toBe(isOver ? 'stopping' : null);
      // Read again, it brings nothing.
      expect(mergeHeard(first, b)).toBeUndefined();
      expect(mergeHeard(first, second)).toBeUndefined();
    }),
    { numRuns: 2000 },
  );
});
