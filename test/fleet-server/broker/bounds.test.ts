import { describe, expect, test } from 'vitest';
import { FailureLedger, failurePolicy } from '#fleet-server/broker/failure-ledger.ts';
import { allowancePolicy, MessageAllowance } from '#fleet-server/broker/message-allowance.ts';
import { ProblemLog } from '#fleet-server/broker/problem-log.ts';

describe('refused credentials', () => {
  test('each further one is held back longer, up to a bound, and forgotten after a quiet minute', () => {
    const ledger = new FailureLedger();
    const delays = Array.from({ length: 8 }, (_, index) => ledger.note('192.0.2.1', index * 1000));
    expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    expect(ledger.note('192.0.2.2', 8000)).toBe(100);
    expect(ledger.note('192.0.2.1', 7000 + failurePolicy.forgetAfterMs)).toBe(100);
  });

  test('remembers a bounded number of addresses', () => {
    const ledger = new FailureLedger();
    for (let index = 0; index < failurePolicy.maxAddresses + 100; index += 1) ledger.note(`address-${index}`, 0);
    expect(ledger.size).toBe(failurePolicy.maxAddresses);
  });
});

describe('allowance of a device', () => {
  test('a burst is granted, what follows waits, and what would wait too long is cut', () => {
    const allowance = new MessageAllowance(0);
    const kinds = Array.from({ length: 1500 }, () => allowance.take(100, 0).kind);
    expect(kinds.filter((kind) => kind === 'granted')).toHaveLength(allowancePolicy.burstTokens);
    expect(kinds.filter((kind) => kind === 'wait')).toHaveLength((allowancePolicy.maxWaitMs / 1000) * allowancePolicy.tokensPerS);
    expect(kinds.at(-1)).toBe('cut');
  });

  test('it comes back with time', () => {
    const allowance = new MessageAllowance(0);
    for (let index = 0; index < allowancePolicy.burstTokens; index += 1) allowance.take(0, 0);
    expect(allowance.take(0, 0)).toEqual({ kind: 'wait', delayMs: 20 });
    expect(allowance.take(0, 1000).kind).toBe('granted');
    expect(allowance.isFull(2000)).toBe(false);
    expect(allowance.isFull(12_000)).toBe(true);
  });

  test('a large picture is dearer than a small message', () => {
    const allowance = new MessageAllowance(0);
    const granted = Array.from({ length: 20 }, () => allowance.take(262_144, 0).kind).filter((kind) => kind === 'granted');
    expect(granted).toHaveLength(7);
  });

  test('a clock that goes backwards grants nothing', () => {
    const allowance = new MessageAllowance(1000);
    for (let index = 0; index < allowancePolicy.burstTokens; index += 1) allowance.take(0, 1000);
    expect(allowance.take(0, 0).kind).toBe('wait');
  });
});

describe('problems in the log', () => {
  test('are logged once, then counted and summed up each minute', () => {
    const lines: string[] = [];
    const write = (_fields: object, message: string) => void lines.push(message);
    let minute = () => {};
    const clock = {
      nowMs: () => 0,
      monotonicMs: () => 0,
      after: () => () => {},
      every: (_ms: number, tick: () => void) => {
        minute = tick;
        return () => {};
      },
    };
    const problems = new ProblemLog({ debug: write, info: write, warn: write, error: write }, clock);
    problems.start();
    for (let index = 0; index < 500; index += 1) problems.add({ deviceId: 'dev-one' }, { code: 'not-json', message: 'no JSON' });
    expect(lines).toEqual(['no JSON']);
    minute();
    expect(lines).toEqual(['no JSON', '499 times more: no JSON']);
    expect(problems.total).toBe(500);
    problems.stop();
    expect(lines).toHaveLength(2);
  });
});
