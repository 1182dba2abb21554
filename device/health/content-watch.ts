/** From levels and luma to what is wrong with the sound and the picture. Pure. */
import type { ObservedCondition } from '#device/health/condition-tracker.ts';
import type { MediaFigures } from '#protocol/media.ts';

type ContentCode = 'audio-silent' | 'audio-clipping' | 'picture-black' | 'picture-frozen' | 'audio-video-drift';

type Rule = {
  /** What is wrong, in words; null where nothing is, or nothing is known. */
  readonly wrong: (figures: MediaFigures) => string | null;
  /** What it looks at was measured. A second without a measurement, on a busy board, says nothing yet. */
  readonly isMeasured: (figures: MediaFigures) => boolean;
  /** What was wrong is so no longer. Between the two nothing changes. */
  readonly right: (figures: MediaFigures) => boolean;
  /** For how long it must be right to be over: sound clips now and then, not all the time. */
  readonly clearMs: number;
};

/** A quiet room with an open microphone is at -60 to -45 dBFS. */
const silentDbfs = -60;
const heardDbfs = -57;
/** Video range: black is 16. One light point in the picture is enough to see something. */
const blackLuma = 40;
const lightLuma = 48;
/** Frames are compared a second apart; between two the stream may begin anew. */
const frozenS = 2;
/** Without a measurement for so long, what was said of it is no longer. */
const unmeasuredMs = 5000;
const driftAlarmMs = 80;
const driftOverMs = 60;

const hasSound = ({ sound }: MediaFigures): boolean => sound !== undefined;
const hasPicture = ({ picture }: MediaFigures): boolean => picture !== undefined;

const rules: Readonly<Record<ContentCode, Rule>> = {
  'audio-silent': {
    wrong: ({ sound }) => {
      if (sound === undefined || loudest(sound.channels, 'rmsDbfs') >= silentDbfs) return null;
      return loudest(sound.channels, 'peakDbfs') <= -100
        ? 'digital silence: not even noise comes'
        : 'a quiet room: there is noise and nothing else';
    },
    isMeasured: hasSound,
    right: ({ sound }) => sound !== undefined && loudest(sound.channels, 'rmsDbfs') >= heardDbfs,
    clearMs: 0,
  },
  'audio-clipping': {
    wrong: ({ sound }) => {
      const samples = (sound?.channels ?? []).reduce((sum, { clippedSamples }) => sum + clippedSamples, 0);
      return samples === 0 ? null : 'the loudest parts are cut off';
    },
    isMeasured: hasSound,
    right: ({ sound }) => sound?.channels.every(({ clippedSamples }) => clippedSamples === 0) === true,
    clearMs: 4000,
  },
  'picture-black': {
    wrong: ({ picture }) => (picture !== undefined && picture.lumaMax < blackLuma ? 'nothing in it is lighter than dark grey' : null),
    isMeasured: hasPicture,
    right: ({ picture }) => picture !== undefined && picture.lumaMax >= lightLuma,
    clearMs: 0,
  },
  'picture-frozen': {
    wrong: ({ picture }) => (picture !== undefined && picture.stillS >= frozenS ? 'each picture is equal to the one before' : null),
    isMeasured: hasPicture,
    right: ({ picture }) => picture?.stillS === 0,
    clearMs: 0,
  },
  'audio-video-drift': {
    wrong: ({ audioVideoDriftMs: driftMs }) => {
      if (driftMs === undefined || Math.abs(driftMs) < driftAlarmMs) return null;
      return `sound ${driftMs > 0 ? 'has fallen' : 'runs'} ${Math.abs(driftMs)} ms ${driftMs > 0 ? 'behind' : 'ahead of'} the picture`;
    },
    isMeasured: ({ audioVideoDriftMs }) => audioVideoDriftMs !== undefined,
    right: ({ audioVideoDriftMs: driftMs }) => driftMs !== undefined && Math.abs(driftMs) < driftOverMs,
    clearMs: 0,
  },
};

type Watched = { readonly detail: string; readonly wrongAtMs: number };

export type WatchedContent = ReadonlyMap<ContentCode, Watched>;

export const nothingWatched: WatchedContent = new Map();

/** Told at each status. Without figures nothing is known, and nothing is said. */
export function watchContent(before: WatchedContent, figures: MediaFigures | null, monotonicMs: number): WatchedContent {
  if (figures === null) return nothingWatched;
  const after = new Map<ContentCode, Watched>();
  for (const code of contentCodes) {
    const { wrong, right, isMeasured, clearMs } = rules[code];
    const known = before.get(code);
    const detail = wrong(figures);
    if (detail !== null) after.set(code, { detail, wrongAtMs: monotonicMs });
    if (detail !== null || known === undefined) continue;
    const quietMs = monotonicMs - known.wrongAtMs;
    const isOver = isMeasured(figures) ? right(figures) && quietMs >= clearMs : quietMs >= unmeasuredMs;
    if (!isOver) after.set(code, known);
  }
  return after;
}

const contentCodes = Object.keys(rules) as ContentCode[];

export function contentConditions(watched: WatchedContent): readonly ObservedCondition[] {
  return [...watched].map(([code, { detail }]) => ({ code, detail }));
}

function loudest<Key extends string>(channels: readonly Readonly<Record<Key, number>>[], key: Key): number {
  return channels.reduce((loudest, channel) => Math.max(loudest, channel[key]), Number.NEGATIVE_INFINITY);
}
