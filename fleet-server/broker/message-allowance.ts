/**
 * How much one device may send: a token bucket, kept over reconnections. A device that sends too much is slowed first (its
 * own connection is read no further meanwhile, nobody else's), and cut when it goes on.
 *
 * Measure: a healthy device spends about 3 tokens in 10 s. A burst of 500 lets a device that was away for hours hand in
 * its whole bounded queue of events at once.
 */
export const allowancePolicy = {
  burstTokens: 500,
  tokensPerS: 50,
  /** A message costs one token, and one more for each 4 KiB: a preview of 256 KiB is as dear as 65 small messages. */
  bytesPerToken: 4096,
  maxWaitMs: 10_000,
} as const;

export type Allowance = { readonly kind: 'granted' } | { readonly kind: 'wait'; readonly delayMs: number } | { readonly kind: 'cut' };

export class MessageAllowance {
  #tokens: number = allowancePolicy.burstTokens;
  #countedAtMs: number;

  constructor(nowMs: number) {
    this.#countedAtMs = nowMs;
  }

  take(payloadBytes: number, nowMs: number): Allowance {
    const { burstTokens, tokensPerS, bytesPerToken, maxWaitMs } = allowancePolicy;
    const elapsedMs = Math.max(0, nowMs - this.#countedAtMs);
    this.#countedAtMs = nowMs;
    this.#tokens = Math.min(burstTokens, this.#tokens + (elapsedMs / 1000) * tokensPerS);
    const cost = 1 + Math.floor(payloadBytes / bytesPerToken);
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
