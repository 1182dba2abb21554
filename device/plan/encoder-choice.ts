/** Which of the board's encoders serves the wanted picture, and why not the others. Pure. */
import type { Rejection } from '#device/plan/camera-mode.ts';
import { describePicture, lossOf, nearestWithin, type Picture } from '#device/plan/picture.ts';
import type { EncoderProfile } from '#hardware-profiles/schema.ts';

export type EncoderChoice = { readonly encoder: EncoderProfile | undefined; readonly rejected: readonly Rejection[] };

/** The first in the board's order that carries the whole wish, else the one that comes nearest to it. */
export function chooseEncoder(encoders: readonly EncoderProfile[], wish: Picture): EncoderChoice {
  const ranked = encoders.map((encoder) => {
    const given = nearestWithin(wish, encoder.maximumPixelsPerSecond);
    return { encoder, given, loss: lossOf(given, wish) };
  });
  const least = Math.min(...ranked.map(({ loss }) => loss));
  const best = ranked.find(({ loss }) => loss === least);
  const rejected = ranked
    .filter((candidate) => candidate !== best)
    .map(({ encoder, given, loss }) => ({
      subject: encoder.match.element,
      reason:
        loss > least
          ? `carries ${describePicture(given)} of the wished ${describePicture(wish)} on this board`
          : `comes behind ${best?.encoder.match.element} in this board’s order`,
    }));
  return { encoder: best?.encoder, rejected };
}
