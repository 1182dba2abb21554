/** Waiting for the world: asked again and again until it is so, with a bound and the last answer in the error. */
import { setTimeout as delay } from 'node:timers/promises';

const usualAskAgainMs = 50;

type Falsy = false | null | undefined | 0 | '';

/**
 * The first truthy answer of `ask`. An answer that cannot be had (a server that is away) counts as not yet.
 * @throws after `boundMs`, with what was waited for and why the last answer did not do.
 */
export async function until<T>(
  what: string,
  boundMs: number,
  ask: () => T | Promise<T>,
  askAgainMs = usualAskAgainMs,
): Promise<Exclude<T, Falsy>> {
  const deadline = performance.now() + boundMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer) return answer as Exclude<T, Falsy>;
      last = answer;
    } catch (cause) {
      last = cause;
    }
    if (performance.now() > deadline) {
      throw new Error(`expected ${what} within ${boundMs} ms; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`, {
        cause: last,
      });
    }
    await delay(askAgainMs);
  }
}

/** How long it takes until it is so, in milliseconds. */
export async function timeUntil(what: string, boundMs: number, ask: () => unknown): Promise<number> {
  const begin = performance.now();
  await until(what, boundMs, ask);
  return Math.round(performance.now() - begin);
}
