/** The path of a small chart. Pure. */

export type Point = { readonly atMs: number; readonly value: number | null };
export type Box = { readonly width: number; readonly height: number };

/** SVG path data; where a value is missing the line is broken, as nothing was measured there. */
export function sparkline(points: readonly Point[], range: { readonly fromMs: number; readonly toMs: number }, box: Box): string {
  const span = range.toMs - range.fromMs;
  const { low, high } = extentOf(points);
  if (span <= 0) return '';
  let isDrawing = false;
  const parts: string[] = [];
  for (const { atMs, value } of points) {
    if (value === null) {
      isDrawing = false;
      continue;
    }
    const x = ((atMs - range.fromMs) / span) * box.width;
    const y = ((high - value) / (high - low)) * box.height;
    // A lone sample between two gaps would not be seen without a length.
    parts.push(`${isDrawing ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}${isDrawing ? '' : 'h0.1'}`);
    isDrawing = true;
  }
  return parts.join('');
}

/** What the chart reaches from and to: 0 is always in it, and the largest figures stand a little off its edges. Never empty. */
export function extentOf(points: readonly Point[]): { readonly low: number; readonly high: number } {
  const values = points.map(({ value }) => value ?? 0);
  const low = Math.min(0, ...values) * 1.1;
  const high = Math.max(0, ...values) * 1.1;
  return low === high ? { low: 0, high: 1 } : { low, high };
}

/** Of what was measured; null where nothing was. */
export function meanOf(points: readonly Point[]): number | null {
  const values = points.flatMap(({ value }) => (value === null ? [] : [value]));
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
