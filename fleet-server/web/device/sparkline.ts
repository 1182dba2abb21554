/** The path of a small chart. Pure. */

export type Point = { readonly atMs: number; readonly value: number | null };
export type Box = { readonly width: number; readonly height: number };

/** SVG path data; where a value is missing the line is broken, as nothing was measured there. */
export function sparkline(points: readonly Point[], range: { readonly fromMs: number; readonly toMs: number }, box: Box): string {
  const span = range.toMs - range.fromMs;
  const top = ceiling(points);
  if (span <= 0) return '';
  let isDrawing = false;
  const parts: string[] = [];
  for (const { atMs, value } of points) {
    if (value === null) {
      isDrawing = false;
      continue;
    }
    const x = ((atMs - range.fromMs) / span) * box.width;
    const y = box.height - (Math.min(value, top) / top) * box.height;
    // A lone sample between two gaps would not be seen without a length.
    parts.push(`${isDrawing ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}${isDrawing ? '' : 'h0.1'}`);
    isDrawing = true;
  }
  return parts.join('');
}

/** The chart's upper end: a little above the largest value, and never 0. */
export function ceiling(points: readonly Point[]): number {
  const largest = Math.max(0, ...points.map(({ value }) => value ?? 0));
  return largest === 0 ? 1 : largest * 1.1;
}

/** The newest value that there is, if it is from the last step or so. */
export function meanOf(points: readonly Point[]): number | null {
  const values = points.flatMap(({ value }) => (value === null ? [] : [value]));
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
