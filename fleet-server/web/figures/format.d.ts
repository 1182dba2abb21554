/** Figures with their units, as they stand on the page. Pure. */
/** Stands where a figure is not known. */
export declare const unknown = "\u2013";
export declare function bitrateWords(kbps: number | null | undefined): string;
export declare function framesWords(framesPerSecond: number | null | undefined): string;
export declare function sizeWords(width: number | null | undefined, height: number | null | undefined): string;
export declare function temperatureWords(temperatureC: number | null | undefined): string;
export declare function bytesWords(bytes: number | null | undefined): string;
export declare function usedWords(total: number | null | undefined, free: number | null | undefined): string;
export declare function loadWords(load: number | null | undefined): string;
