/** When the player tries again, jumps, renews its ticket. Pure. */
/** With up to a third more by chance. */
export declare function retryDelayMs(attempt: number, random: number): number;
export declare function isTooFarBehind(behindS: number): boolean;
export declare function isStalled(lastProgressMs: number, nowMs: number): boolean;
export declare function shouldRenew(expiresAt: string, nowMs: number): boolean;
/** The same address with the ticket of the newest one, so that a running player goes on under the new ticket. */
export declare function withTicketOf(address: string, newest: string): string;
/**
 * The playback address names the server as FLEET_PUBLIC_URL does. A page that was opened under another name may fetch only
 * from where it came.
 */
export declare function onOwnOrigin(address: string, origin: string): string;
