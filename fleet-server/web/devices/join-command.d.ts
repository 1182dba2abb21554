/** What to type on a new device. Pure. */
export declare function joinCommand(origin: string, token: string): string;
/** An address that means "this machine" wherever it is typed. */
export declare function isOwnMachine(hostname: string): boolean;
