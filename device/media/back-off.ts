/** Retry policies as data: how long to wait before each next attempt. Shared by the agent and its media host. */

export type BackOffPolicy = {
  /** Wait before the first retry. */
  readonly firstMs: number;
  readonly factor: number;
  /** No wait is longer, jitter included. */
  readonly capMs: number;
  /** Share of each wait that is random, 0 to 1: many devices that lost the same server must not return in step. */
  readonly jitter: number;
};

/** Endless: the waits of one policy, in ms. `random` gives 0 (included) to 1 (excluded). */
export function* backOffDelays(policy: BackOffPolicy, random: () => number): Generator<number, never> {
  for (let attempt = 1; ; attempt += 1) yield backOffDelay(policy, attempt, random());
}

/** The wait before retry number `attempt` (1 = the first retry), in ms. */
export function backOffDelay(policy: BackOffPolicy, attempt: number, random: number): number {
  // The exponent is bounded so that years of retries do not overflow.
  const full = Math.min(policy.capMs, policy.firstMs * policy.factor ** Math.min(attempt - 1, 32));
  return Math.round(full * (1 - policy.jitter * random));
}
