import { describe, expect, test } from 'vitest';
import type { UpwardMessage } from '#fleet-server/broker/contract.ts';
import { intakePolicy, UpwardIntake } from '#fleet-server/broker/external/upward-intake.ts';
import { allowancePolicy } from '#fleet-server/broker/message-allowance.ts';
import { encodeUpward, type UpwardName } from '#protocol/envelope.ts';
import { topicFor } from '#protocol/topics.ts';
import { bodies } from '../../api-under-test.ts';
import { manualClock, settle } from '../../manual-clock.ts';

const frame = (sequence: number) => ({ session: { bootId: 'a-boot', counter: 1 }, sequence, sentAt: '2026-11-21T12:00:00.000Z' });
const health = (sequence: number) => Buffer.from(encodeUpward('health', { ...frame(sequence), body: bodies.health(30) }));
const event = (number: number) =>
  Buffer.from(encodeUpward('event', { ...frame(number), body: { number, at: '2026-11-21T12:00:00.000Z', kind: 'thing', detail: '' } }));

/** `isStuck`: the server deals with nothing until `release`. */
function intakeUnderTest({ isStuck = false } = {}) {
  const clock = manualClock();
  const heard: { readonly deviceId: string; readonly name: UpwardName; readonly sequence: number }[] = [];
  const problems: string[] = [];
  const cuts: string[] = [];
  let release = (): void => undefined;
  const freed = isStuck ? new Promise<void>((resolve) => (release = resolve)) : undefined;
  const intake = new UpwardIntake({
    clock,
    hooks: {
      handleUpward: ({ deviceId, name, envelope }: UpwardMessage) => {
        heard.push({ deviceId, name, sequence: envelope.sequence });
        return freed;
      },
      onPicture: () => undefined,
    },
    onProblem: (deviceId, { code, message }) => problems.push(`${deviceId} ${code}: ${message}`),
    onFlood: (deviceId) => cuts.push(deviceId),
  });
  /** Answers whether the next one may come. */
  const take = (deviceId: string, name: UpwardName, payload: Buffer): boolean => {
    let isReady = false;
    intake.take(topicFor(deviceId, name), payload, () => {
      isReady = true;
    });
    return isReady;
  };
  const heardOf = (deviceId: string, name: UpwardName) =>
    heard.flatMap((one) => (one.deviceId === deviceId && one.name === name ? [one.sequence] : []));
  return { clock, intake, take, heard, heardOf, problems, cuts, release };
}

const { burstTokens, tokensPerS, maxWaitMs } = allowancePolicy;
const waitingTokens = (tokensPerS * maxWaitMs) / 1000;
const upTo = (count: number, from = 1) => Array.from({ length: count }, (_, index) => from + index);

describe('a device that floods', () => {
  test('is heard as fast as its allowance, and in its order; then it is named and cut, and no other is', async () => {
    const { clock, take, heardOf, problems, cuts } = intakeUnderTest();
    for (const number of upTo(burstTokens)) expect(take('pi-flood', 'event', event(number))).toBe(true);
    await settle();
    expect(heardOf('pi-flood', 'event')).toEqual(upTo(burstTokens));
    expect(problems).toEqual([]);
    for (const number of upTo(waitingTokens + 100, burstTokens + 1)) expect(take('pi-flood', 'event', event(number))).toBe(true);
    expect(new Set(problems)).toEqual(new Set(['pi-flood flooding: expected fewer messages a second; the device is slowed, then cut']));
    expect(cuts).toEqual(['pi-flood']);
    take('pi-calm', 'health', health(1));
    await clock.advance(1000);
    expect(heardOf('pi-calm', 'health')).toEqual([1]);
    expect(heardOf('pi-flood', 'event')).toHaveLength(burstTokens + tokensPerS);
    await clock.advance(maxWaitMs);
    expect(heardOf('pi-flood', 'event')).toEqual(upTo(burstTokens + waitingTokens));
  });

  test('loses its oldest health first, and no event for it', async () => {
    const { clock, take, heardOf } = intakeUnderTest();
    for (const number of upTo(burstTokens)) take('pi-flood', 'health', health(number));
    await settle();
    for (const number of upTo(waitingTokens, burstTokens + 1)) take('pi-flood', 'health', health(number));
    for (const number of upTo(20)) take('pi-flood', 'event', event(number));
    take('pi-flood', 'health', health(9999));
    await clock.advance(maxWaitMs + 1000);
    expect(heardOf('pi-flood', 'event')).toEqual(upTo(20));
    const heard = heardOf('pi-flood', 'health');
    expect(heard.at(-1)).toBe(9999);
    // All of the first burst, and of what waited all but the first 21.
    expect(heard).toEqual([...upTo(burstTokens), ...upTo(waitingTokens - 21, burstTokens + 22), 9999]);
  });

  test('gets no room for a large message from small ones', async () => {
    const { clock, take, heardOf } = intakeUnderTest();
    for (const number of upTo(burstTokens)) take('pi-flood', 'health', health(number));
    await settle();
    for (const number of upTo(waitingTokens, burstTokens + 1)) take('pi-flood', 'health', health(number));
    take('pi-flood', 'event', event(1));
    take('pi-flood', 'report', Buffer.from(`${event(2)}${' '.repeat(60_000)}`));
    await clock.advance(maxWaitMs + 1000);
    expect(heardOf('pi-flood', 'event')).toEqual([1]);
    expect(heardOf('pi-flood', 'health')).toHaveLength(burstTokens + waitingTokens - 1 - 15);
  });

  test('is cut once in ten seconds, however long it goes on', async () => {
    const { clock, take, cuts } = intakeUnderTest();
    for (const number of upTo(burstTokens + waitingTokens)) take('pi-flood', 'event', event(number));
    for (let second = 0; second < 25; second += 1) {
      for (const number of upTo(2 * tokensPerS)) take('pi-flood', 'event', event(number));
      await clock.advance(1000);
    }
    expect(cuts).toEqual(['pi-flood', 'pi-flood', 'pi-flood']);
  });
});

describe('when the server deals with nothing', () => {
  test('one device takes a few of the places, and many take all: then nothing more is read', async () => {
    const { intake, take, heard, release } = intakeUnderTest({ isStuck: true });
    for (const number of upTo(burstTokens)) expect(take('pi-flood', 'event', event(number))).toBe(true);
    const others = intakePolicy.places - intakePolicy.placesOfOne;
    for (const number of upTo(others - 1)) expect(take(`pi-${number}`, 'health', health(1))).toBe(true);
    let isReady = false;
    intake.take(topicFor('pi-last', 'health'), health(1), () => {
      isReady = true;
    });
    await settle();
    expect(isReady).toBe(false);
    expect(heard).toHaveLength(others + 1);
    release();
    await settle();
    expect(isReady).toBe(true);
    expect(heard).toHaveLength(others + burstTokens);
  });

  test('what waits of all together is bounded, and one that says little is heard all the same', async () => {
    const { take, problems, heardOf } = intakeUnderTest({ isStuck: true });
    const events = upTo(burstTokens + waitingTokens).map(event);
    const flooding = Math.ceil(intakePolicy.maxHeld / (burstTokens + waitingTokens - intakePolicy.placesOfOne)) + 1;
    for (const device of upTo(flooding)) {
      for (const payload of events) take(`pi-flood-${device}`, 'event', payload);
    }
    expect(problems.filter((problem) => problem.includes('too much of all devices'))).not.toEqual([]);
    take('pi-calm', 'event', event(1));
    await settle();
    expect(heardOf('pi-calm', 'event')).toEqual([1]);
  });

  test('what waits for its allowance does not hold up the end of the process', async () => {
    const { intake, take, heard } = intakeUnderTest();
    for (const number of upTo(burstTokens)) take('pi-flood', 'event', event(number));
    await settle();
    for (const number of upTo(waitingTokens, burstTokens + 1)) take('pi-flood', 'event', event(number));
    await intake.settled();
    take('pi-flood', 'event', event(9999));
    await settle();
    expect(heard.map(({ sequence }) => sequence)).toEqual(upTo(burstTokens));
  });
});
