/** What the agent's exit codes mean to whoever supervises it. */

/** The agent has given up on its own process: a new one may bring the stream back (EX_TEMPFAIL of sysexits.h). */
export const startMeAnew = 75;
