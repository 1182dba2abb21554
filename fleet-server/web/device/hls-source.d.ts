export type HlsSource = {
    /** How far behind the newest received picture it plays; null when not known. */
    behindS(): number | null;
    jumpToLive(): void;
    /** Goes on under a new ticket. */
    renew(address: string): void;
    destroy(): void;
};
export declare function openHls(video: HTMLVideoElement, address: string, onFailed: (reason: string) => void): Promise<HlsSource>;
