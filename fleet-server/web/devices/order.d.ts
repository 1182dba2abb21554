/** The order of the list, its counts and its filter. Pure. */
import type { DeviceSummary } from '#protocol/model/device.ts';
import { type StreamKind } from '../status/stream-words.ts';
/** What needs somebody most comes first. A lower number is worse. */
export declare function urgency(device: Pick<DeviceSummary, 'stream' | 'conditions' | 'settings'>): number;
export declare function worstFirst<Device extends DeviceSummary>(devices: readonly Device[]): readonly Device[];
export type KindCount = {
    readonly kind: StreamKind;
    readonly count: number;
};
/** How many devices are in each state, worst first; states that none is in are left out. */
export declare function countsByKind(devices: readonly Pick<DeviceSummary, 'stream'>[]): readonly KindCount[];
export type Filter = {
    readonly text: string;
    readonly kind: StreamKind | null;
};
/** Every word must be in the name, id, group, board, camera or state. */
export declare function matches(device: DeviceSummary, { text, kind }: Filter): boolean;
