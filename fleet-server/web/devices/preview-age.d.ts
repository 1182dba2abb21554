/** How old a preview may be. Pure. */
export declare function isOldPicture(atMs: number, nowMs: number): boolean;
