/** The states of a stream in words and tones. "Live" is said of one kind only: the one the relay proves. Pure. */
import type { DevicePresence, SettingsState, StreamState } from '#protocol/model/device.ts';
export type StreamKind = StreamState['kind'];
/** A tone is a colour by its meaning; global.css gives it its shade. */
export type Tone = 'live' | 'starting' | 'warn' | 'bad' | 'elsewhere' | 'quiet';
export declare const streamKinds: readonly ["failed", "not-arriving", "offline", "unknown", "starting", "elsewhere", "stopped", "live"];
export declare function streamWords(kind: StreamKind): string;
export declare function streamTone(kind: StreamKind): Tone;
/** With the live channel lost, what is on the screen was true once. */
export declare function streamLabel(kind: StreamKind, isStale: boolean): string;
export declare const presenceWords: {
    readonly [State in DevicePresence['state']]: string;
};
export declare const settingsWords: {
    readonly [Kind in SettingsState['kind']]: string;
};
