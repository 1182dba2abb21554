/** The countdown to an output's next try. Pure. */
export declare function nextTryWords(nextTryAt: string, nowMs: number): string;
