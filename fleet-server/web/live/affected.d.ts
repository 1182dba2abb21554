/** Which answers a change makes old. Pure. */
import type { Change } from '#protocol/model/change.ts';
export type QueryPrefix = readonly string[];
/** Prefixes of query keys. Without a device id in the change, it may be about any device. */
export declare function affectedQueries({ subject, deviceId }: Change): readonly QueryPrefix[];
