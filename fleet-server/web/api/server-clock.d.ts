/**
 * What time the fleet server has. Ages on the page are counted on its clock, so that a laptop whose clock is wrong shows no
 * wrong age.
 */
/** How far the server's clock is ahead of ours, from one answer. */
export declare function clockOffsetMs(dateHeader: string | null, sentAtMs: number, receivedAtMs: number): number | null;
export declare function noteAnswer(dateHeader: string | null, sentAtMs: number, receivedAtMs: number): void;
export declare function serverNowMs(): number;
