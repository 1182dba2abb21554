/** The numbers that devices are compared by. What a device that is not connected once said is not shown as if it were now. */
import type { DeviceSummary } from '#protocol/model/device.ts';
export type ShownFigures = {
    readonly frames: string;
    readonly size: string;
    readonly relayBitrate: string;
    readonly encoderBitrate: string;
    readonly temperature: string;
    readonly load: string;
    readonly memoryFree: string;
};
export declare function shownFigures(device: Pick<DeviceSummary, 'presence' | 'figures' | 'relay' | 'board'>): ShownFigures;
