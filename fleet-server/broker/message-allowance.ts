/**
 * How much one device may send: a token bucket, kept over reconnections. A device that sends too much is slowed first (its
 * own connection is read no further meanwhile, nobody else's), and cut when it goes on.
 *
 * Measure: a healthy device spends about 3 tokens in 10 s. A burst of 500 lets a device that was away for hours hand in
 * its whole bounded queue of events at once.
 */
import type { BrokerProblem } from '#fleet-server/broker/contract.ts';

export const allowancePolicy = {
  burstTokens: 500,
  tokensPerS: 50,
  /** A message costs one token, and one more for each 4 KiB: a preview of 256 KiB is as dear as 65 small messages. */
  bytesPerToken: 4096,
  maxWaitMs: 10_000,
} as const;

export type Allowance = { readonly kind: 'granted' } | { readonly kind: 'wait'; readonly delayMs: number } | { readonly kind: 'cut' };

export const floodingProblem: BrokerProblem = {
  code: 'flooding',
  message: 'expected fewer messages a second; the device is slowed, then cut',
};

/** What a message costs. */
export function tokensOf(payloadBytes: number): number {
  return 1 + Math.floor(payloadBytes / allowancePolicy.bytesPerToken);
}

export class MessageAllowance {
  #tokens: number = allowancePolicy.burstTokens;
  #countedAtMs: number;

  constructor(nowMs: number) {
    this.#countedAtMs = nowMs;
  }

  take(payloadBytes: number, nowMs: number): Allowance {
    const { burstTokens, tokensPerS, maxWaitMs } = allowancePolicy;
    const elapsedMs = Math.max(0, nowMs - this.#countedAtMs);
    this.#countedAtMs = nowMs;
    this.#tokens = Math.min(burstTokens, this.#tokens + (elapsedMs / 1000) * tokensPerS);
    const cost = tokensOf(payloadBytes);
    const delayMs = Math.max(0, ((cost - this.#tokens) / tokensPerS) * 1000);
    if (delayMs > maxWaitMs) return { kind: 'cut' };
    this.#tokens -= cost;
    return delayMs === 0 ? { kind: 'granted' } : { kind: 'wait', delayMs };
  }

  isFull(nowMs: number): boolean {
    const { burstTokens, tokensPerS } = allowancePolicy;
    return this.#tokens + (Math.max(0, nowMs - this.#countedAtMs) / 1000) * tokensPerS >= burstTokens;
  }
}

/** Allowances outlive connections, so that a flooding device gains nothing by connecting again. */
const maxAllowances = 20_000;

/** The allowance of each device; of those that have all of theirs nothing is kept past the bound. */
export class Allowances {
  readonly #allowances = new Map<string, MessageAllowance>();

  take(deviceId: string, payloadBytes: number, nowMs: number): Allowance {
    return this.#of(deviceId, nowMs).take(payloadBytes, nowMs);
  }

  #of(deviceId: string, nowMs: number): MessageAllowance {
    const known = this.#allowances.get(deviceId);
    if (known !== undefined) return known;
    if (this.#allowances.size >= maxAllowances) {
      for (const [id, allowance] of this.#allowances) if (allowance.isFull(nowMs)) this.#allowances.delete(id);
    }
    const allowance = new MessageAllowance(nowMs);
    this.#allowances.set(deviceId, allowance);
    return allowance;
  }
}
