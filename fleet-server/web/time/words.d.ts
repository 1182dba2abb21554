/** Times as people say them. Pure. */
/** "42 s", "12 min", "3 h 20 min", "2 d 4 h". */
export declare function durationWords(durationMs: number): string;
/** "just now", "42 s ago", "in 5 s". Up to a second in the future is taken for now: clocks are never quite the same. */
export declare function relativeWords(atMs: number, nowMs: number): string;
export declare function exactWords(at: string | number): string;
export declare function dayWords(at: string | number): string;
