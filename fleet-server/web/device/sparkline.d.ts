/** The path of a small chart. Pure. */
export type Point = {
    readonly atMs: number;
    readonly value: number | null;
};
export type Box = {
    readonly width: number;
    readonly height: number;
};
/** SVG path data; where a value is missing the line is broken, as nothing was measured there. */
export declare function sparkline(points: readonly Point[], range: {
    readonly fromMs: number;
    readonly toMs: number;
}, box: Box): string;
/** The chart's upper end: a little above the largest value, and never 0. */
export declare function ceiling(points: readonly Point[]): number;
/** The newest value that there is, if it is from the last step or so. */
export declare function meanOf(points: readonly Point[]): number | null;
