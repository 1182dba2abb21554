/** Reads what `v4l2-ctl` prints. Pure; a line that is not understood is passed over. */
import type { VideoMode } from '#device/detect/facts.ts';

export type V4l2Info = {
  readonly driver: string;
  readonly card: string;
  readonly busInfo: string;
  /** Capabilities of this very node, which are fewer than those of the whole device. */
  readonly capabilities: readonly string[];
};

const maximumModes = 512;

/** `v4l2-ctl --info` (the same lines open `--all`). Null when there is no driver information. */
export function parseV4l2Info(output: string): V4l2Info | null {
  const field = (name: string) => new RegExp(`^\\s*${name}\\s*: (.*)$`, 'm').exec(output)?.[1]?.trim();
  const driver = field('Driver name');
  if (driver === undefined) return null;
  return { driver, card: field('Card type') ?? '', busInfo: field('Bus info') ?? '', capabilities: nodeCapabilities(output) };
}

/** The names under "Device Caps"; drivers from before Linux 3.4 have only "Capabilities". */
function nodeCapabilities(output: string): readonly string[] {
  const lines = output.split('\n');
  const start = ['Device Caps', 'Capabilities']
    .map((title) => lines.findIndex((line) => line.trim().startsWith(title) && /: 0x[0-9a-f]+/i.test(line)))
    .find((index) => index !== -1);
  if (start === undefined) return [];
  const indentOf = (line: string) => line.length - line.trimStart().length;
  const ownIndent = indentOf(lines[start] ?? '');
  const following = lines.slice(start + 1);
  const end = following.findIndex((line) => line.trim() === '' || indentOf(line) <= ownIndent);
  return following.slice(0, end === -1 ? following.length : end).map((line) => line.trim());
}

/** Pictures can be taken from this node, and it is no codec or scaler (those take pictures as well as give them). */
export function isCaptureNode(info: V4l2Info): boolean {
  const gives = (name: string) => info.capabilities.some((capability) => capability === name || capability === `${name} Multiplanar`);
  return gives('Video Capture') && !gives('Video Memory-to-Memory');
}

/** `v4l2-ctl --list-formats-ext`. */
export function parseVideoModes(output: string): readonly VideoMode[] {
  const modes: (VideoMode & { readonly frameRates: number[] })[] = [];
  let pixelFormat: string | null = null;
  for (const line of output.split('\n')) {
    if (modes.length >= maximumModes) break;
    const format = /^\s*(?:\[\d+\]:|Pixel Format\s*:) '(.{4})'/.exec(line)?.[1];
    if (format !== undefined) {
      pixelFormat = format.trim();
      continue;
    }
    if (pixelFormat === null) continue;
    const discrete = /Size: Discrete (\d+)x(\d+)/.exec(line);
    if (discrete !== null) {
      modes.push({ pixelFormat, width: Number(discrete[1]), height: Number(discrete[2]), frameRates: [] });
      continue;
    }
    const range = /Size: (?:Stepwise|Continuous) (\d+)x(\d+) - (\d+)x(\d+)/.exec(line);
    if (range !== null) {
      const smallest = { width: Number(range[1]), height: Number(range[2]) };
      modes.push({ pixelFormat, width: Number(range[3]), height: Number(range[4]), smallest, frameRates: [] });
      continue;
    }
    const rate = /Interval: Discrete [\d.]+s \(([\d.]+) fps\)/.exec(line)?.[1];
    if (rate !== undefined) modes.at(-1)?.frameRates.push(Number(rate));
  }
  return modes.map((mode) => ({ ...mode, frameRates: mode.frameRates.toSorted((left, right) => right - left) }));
}
