/** Time as a thing that is passed in, so that tests of decisions need no waiting. */
export type Clock = {
  /** Wall clock, ms since 1970: for what people read. */
  readonly nowMs: () => number;
  /** Never goes back and ignores corrections of the wall clock: for measuring. ms since a moment that is the same for all processes of a boot. */
  readonly monotonicMs: () => number;
  /** Calls back once; the returned function cancels and may be called twice. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
};

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  schedule: (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Nothing sets a clock by less; two that are read one after the other differ by it. */
const setFromMs = 1000;

/**
 * When something was, for people: it was told as `at` by the wall clock of that moment, `atMs` on the monotonic one. Where the wall clock was set
 * meanwhile it was wrong then, and this is the time by that of now; otherwise it is `at` as it stands.
 */
export function timeOf(at: string, atMs: number, now: { readonly nowMs: number; readonly monotonicMs: number }): string {
  const byNowMs = now.nowMs - (now.monotonicMs - atMs);
  return Math.abs(byNowMs - Date.parse(at)) < setFromMs ? at : new Date(byNowMs).toISOString();
}
