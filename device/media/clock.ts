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
