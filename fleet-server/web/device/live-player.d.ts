/**
 * Keeps the live picture of one device playing for as long as it is wanted: opens it, watches that it moves, opens it again
 * with growing pauses when it is not there yet or breaks.
 *
 * INVARIANTS
 * - `playing` is said only while the picture moves.
 * - At most one source is open, and none after stop().
 */
import type { Playback } from '#protocol/model/device.ts';
export type PlayerState = {
    readonly kind: 'opening';
} | {
    readonly kind: 'playing';
    readonly behindS: number | null;
} | {
    readonly kind: 'retrying';
    readonly reason: string;
    readonly nextTryAtMs: number;
};
export type LivePlayerOptions = {
    readonly video: HTMLVideoElement;
    readonly fetchPlayback: () => Promise<Playback>;
    readonly onState: (state: PlayerState) => void;
};
export declare class LivePlayer {
    #private;
    constructor(options: LivePlayerOptions);
    start(): void;
    stop(): void;
    jumpToLive(): void;
}
