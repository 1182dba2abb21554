/** Sizes and rates of pictures: how far one is from another, and which nearest one a limit allows. Pure. */

export type Picture = { readonly width: number; readonly height: number; readonly framesPerSecond: number };

/** 29.97 frames a second serve a wish for 30. */
export function isSameRate(left: number, right: number): boolean {
  return Math.abs(left - right) < 0.05;
}

export function pixelsPerSecond({ width, height, framesPerSecond }: Picture): number {
  return width * height * framesPerSecond;
}

export function describePicture({ width, height, framesPerSecond }: Picture): string {
  return `${width}x${height} at ${Number(framesPerSecond.toFixed(2))}/s`;
}

/** Below so many frames a second movement is seen to jump. */
const smoothFramesPerSecond = 25;

/** How often the area and the rate would have to be doubled to reach the wish; 0: it is met. A rate that jumps counts twice. */
export function lossOf(given: Picture, wish: Picture): number {
  // What a picture of another shape fills of the wished one.
  const scale = Math.min(1, wish.width / given.width, wish.height / given.height);
  const area = given.width * given.height * scale * scale;
  const areaLoss = Math.max(0, Math.log2((wish.width * wish.height) / area));
  const isRateRight = isSameRate(given.framesPerSecond, wish.framesPerSecond);
  const rateLoss = isRateRight ? 0 : Math.max(0, Math.log2(wish.framesPerSecond / given.framesPerSecond));
  const jumpLoss = isRateRight ? 0 : Math.max(0, Math.log2(Math.min(wish.framesPerSecond, smoothFramesPerSecond) / given.framesPerSecond));
  // Equal losses must be equal numbers.
  return Math.round((areaLoss + rateLoss + jumpLoss) * 1e6) / 1e6;
}

/** Heights and rates that people know; a picture keeps its shape. */
const knownHeights: readonly number[] = [2160, 1440, 1080, 720, 540, 480, 360, 240, 180];
const knownRates: readonly number[] = [60, 50, 30, 25, 20, 15, 10, 5];

/** The nearest picture of at most so many pixels a second; the picture itself where it is one. */
export function nearestWithin(wish: Picture, maximumPixelsPerSecond: number | undefined): Picture {
  if (maximumPixelsPerSecond === undefined || pixelsPerSecond(wish) <= maximumPixelsPerSecond) return wish;
  const sizes = [wish, ...knownHeights.filter((height) => height < wish.height).map((height) => sizeOf(height, wish))];
  const rates = [wish.framesPerSecond, ...knownRates.filter((rate) => rate < wish.framesPerSecond)];
  const candidates = sizes
    .flatMap(({ width, height }) => rates.map((framesPerSecond) => ({ width, height, framesPerSecond })))
    .filter((picture) => pixelsPerSecond(picture) <= maximumPixelsPerSecond)
    .map((picture) => ({ picture, loss: lossOf(picture, wish) }));
  candidates.sort((left, right) => left.loss - right.loss || right.picture.framesPerSecond - left.picture.framesPerSecond);
  return candidates[0]?.picture ?? { ...sizeOf(knownHeights.at(-1) ?? 180, wish), framesPerSecond: knownRates.at(-1) ?? 5 };
}

/** Encoders take even sides only. */
function sizeOf(height: number, { width, height: wishedHeight }: Picture): { readonly width: number; readonly height: number } {
  return { width: Math.max(2, Math.round((width * height) / wishedHeight / 2) * 2), height };
}
