/** What to tell people who hear the page instead of seeing it. Pure. */
import type { DeviceSummary } from '#protocol/model/device.ts';
type Told = Pick<DeviceSummary, 'id' | 'name' | 'stream'>;
export declare function changedWords(before: readonly Told[], now: readonly Told[]): string;
export {};
