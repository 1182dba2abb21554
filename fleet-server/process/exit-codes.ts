/** Why the process ended, for whoever started it. From sysexits.h, where it has one that fits. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  /** EX_USAGE: the arguments are wrong. */
  usage: 64,
  /** EX_UNAVAILABLE: a port is taken, or the relay cannot run. */
  unavailable: 69,
  /** EX_IOERR: the store. */
  store: 74,
  /** EX_CONFIG: the environment is wrong. */
  configuration: 78,
} as const;
