/** The word on top of the picture while it is not the live one. Pure. */
import type { StreamState } from '#protocol/model/device.ts';
import type { PlayerState } from './live-player.ts';
export declare function coverWords(stream: StreamState, player: PlayerState | null): string;
