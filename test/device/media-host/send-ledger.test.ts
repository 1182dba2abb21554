import { expect, it } from 'vitest';
import { SendLedger } from '#device/media-host/send-ledger.ts';

it('tells the oldest tag that is still under way', () => {
  const ledger = new SendLedger();
  expect([ledger.oldest?.placedAtMs ?? null, ledger.spanMs]).toEqual([null, 0]);
  for (const timestampMs of [0, 33, 66, 100]) ledger.push(100, { timestampMs, placedAtMs: timestampMs + 1000 });
  ledger.settle(400);
  expect([ledger.oldest?.placedAtMs ?? null, ledger.spanMs, ledger.arrivedBytes]).toEqual([1000, 100, 0]);
  ledger.settle(250);
  expect([ledger.oldest?.placedAtMs ?? null, ledger.arrivedBytes]).toEqual([1033, 150]);
  ledger.settle(200);
  expect([ledger.oldest?.placedAtMs ?? null, ledger.spanMs]).toEqual([1066, 34]);
  ledger.settle(0);
  expect([ledger.oldest?.placedAtMs ?? null, ledger.spanMs, ledger.arrivedBytes]).toEqual([null, 0, 400]);
});

it('takes nothing back: what has arrived once stays so', () => {
  const ledger = new SendLedger();
  ledger.push(100, { timestampMs: 0, placedAtMs: 0 });
  ledger.settle(0);
  // The wire carries more than the tags: chunk headers, TLS.
  ledger.settle(120);
  expect([ledger.arrivedBytes, ledger.oldest?.placedAtMs ?? null]).toEqual([100, null]);
});
