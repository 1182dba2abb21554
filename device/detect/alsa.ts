/** Reads ALSA's lists under /proc/asound. Pure. */

export type AlsaCard = { readonly number: number; readonly id: string; readonly driver: string; readonly name: string };
export type AlsaCapture = { readonly card: number; readonly device: number; readonly name: string };

/** `/proc/asound/cards`: " 1 [C270           ]: USB-Audio - C270 HD WEBCAM", then a line that says more. */
export function parseAlsaCards(text: string): readonly AlsaCard[] {
  return [...text.matchAll(/^\s*(\d+) \[(.{1,15}?)\s*\]: (.+?) - (.*)$/gm)].map((match) => ({
    number: Number(match[1]),
    id: match[2] ?? '',
    driver: match[3] ?? '',
    name: (match[4] ?? '').trim(),
  }));
}

/** `/proc/asound/pcm`: "01-00: USB Audio : USB Audio : capture 1"; devices that only play are left out. */
export function parseAlsaCaptures(text: string): readonly AlsaCapture[] {
  return [...text.matchAll(/^(\d+)-(\d+): (.*)$/gm)]
    .filter((match) => /: capture \d+/.test(match[3] ?? ''))
    .map((match) => ({ card: Number(match[1]), device: Number(match[2]), name: (match[3] ?? '').split(' : ')[0]?.trim() ?? '' }));
}
