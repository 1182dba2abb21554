import { Change } from '#protocol/model/change.ts';
export type ChannelState = {
    readonly kind: 'connecting' | 'open' | 'lost';
};
export type LiveChannelOptions = {
    readonly onChange: (change: Change) => void;
    readonly onState: (state: ChannelState) => void;
    /** The server refused the connection instead of breaking it: the session may be over. */
    readonly onRefused: () => void;
};
/** With up to a half more by chance, so that the browsers of a room do not come back in step. */
export declare function pauseMs(attempt: number, random: number): number;
export declare class LiveChannel {
    #private;
    constructor(options: LiveChannelOptions);
    start(): void;
    stop(): void;
}
/** Null: a subject that a newer server knows and this page does not. */
export declare function readChange(data: unknown): Change | null;
