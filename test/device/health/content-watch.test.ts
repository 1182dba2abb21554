/** Second by second, as the media host tells it, through the tracker that holds conditions back. */
import { expect, test } from 'vitest';
import { noConditions, shownConditions, trackConditions } from '#device/health/condition-tracker.ts';
import { contentConditions, nothingWatched, watchContent } from '#device/health/content-watch.ts';
import type { MediaFigures } from '#protocol/media.ts';

const encoded = { framesPerSecond: 30, videoBitrateKbps: 1, audioBitrateKbps: 1, framesTotal: 1, width: 1, height: 1 };

function sound(rmsDbfs: number, peakDbfs = rmsDbfs, clippedSamples = 0): Partial<MediaFigures> {
  return {
    sound: {
      channels: [
        { peakDbfs: -100, rmsDbfs: -100, clippedSamples: 0 },
        { peakDbfs, rmsDbfs, clippedSamples },
      ],
    },
  };
}

const picture = (lumaMax: number, stillS: number): Partial<MediaFigures> => ({ picture: { lumaMean: 16, lumaMax, stillS } });

/** Which codes are shown after each second. */
function shown(seconds: readonly (Partial<MediaFigures> | null)[]): readonly string[] {
  let watched = nothingWatched;
  let tracked = noConditions;
  return seconds.map((figures, second) => {
    const monotonicMs = second * 1000;
    watched = watchContent(watched, figures === null ? null : { ...encoded, ...figures }, monotonicMs);
    tracked = trackConditions(tracked, contentConditions(watched), { nowMs: monotonicMs, monotonicMs });
    return shownConditions(tracked, monotonicMs)
      .map(({ code, detail }) => `${code}: ${detail}`)
      .join('; ');
  });
}

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
const silent = 'audio-silent: a quiet room: there is noise and nothing else';
const digital = 'audio-silent: digital silence: not even noise comes';
const clipping = 'audio-clipping: the loudest parts are cut off';
const black = 'picture-black: nothing in it is lighter than dark grey';
const frozen = 'picture-frozen: each picture is equal to the one before';

test('silence: shown after 15 s, over at the first second that is heard, and the two silences have their own words', () => {
  const seconds = shown([...times(16, sound(-70, -62)), sound(-58, -50), sound(-100), sound(-56, -40)]);
  expect(seconds.slice(0, 15)).toEqual(times(15, ''));
  // Between -60 and -57 nothing changes.
  expect(seconds.slice(15)).toEqual([silent, silent, digital, '']);
});

test('a pause in a talk is no silence', () => {
  const talk = [...times(10, sound(-65)), ...times(3, sound(-25))];
  expect(shown([...talk, ...talk, ...talk]).join('')).toBe('');
});

test('clipping: shown after 10 s of it, with pauses below four seconds; one loud moment is none', () => {
  const loud = [sound(-3, 0, 50), sound(-20), sound(-20)];
  const seconds = shown([...loud, ...loud, ...loud, ...loud, ...times(4, sound(-20))]);
  expect(seconds.slice(0, 10).join('')).toBe('');
  expect(seconds.slice(10, 13)).toEqual(times(3, clipping));
  expect(seconds.at(-1)).toBe('');
  expect(shown([...loud, ...times(20, sound(-20))]).join('')).toBe('');
});

test('black: shown after 10 s; twilight neither begins nor ends it', () => {
  const seconds = shown([...times(5, picture(44, 0)), ...times(11, picture(20, 0)), picture(44, 0), picture(48, 0)]);
  expect(seconds.slice(0, 15).join('')).toBe('');
  expect(seconds.slice(15)).toEqual([black, black, '']);
});

test('frozen: shown 30 s after it was found, over with the first picture that differs', () => {
  const still = Array.from({ length: 33 }, (_, second) => picture(200, second));
  const seconds = shown([...still, picture(200, 0)]);
  expect(seconds.slice(0, 32).join('')).toBe('');
  expect(seconds.slice(32)).toEqual([frozen, '']);
});

test('drift: shown from 80 ms on, over below 60', () => {
  const at = (audioVideoDriftMs: number) => ({ audioVideoDriftMs });
  expect(shown([at(79), at(80), at(61), at(-59), at(-95)])).toEqual([
    '',
    'audio-video-drift: sound has fallen 80 ms behind the picture',
    'audio-video-drift: sound has fallen 80 ms behind the picture',
    '',
    'audio-video-drift: sound runs 95 ms ahead of the picture',
  ]);
});

test('what is not measured raises nothing, and what is no longer measured is over', () => {
  expect(shown([...times(60, {})]).join('')).toBe('');
  const bad = { ...sound(-100), ...picture(16, 60) };
  expect(shown([...times(40, bad), ...times(5, {})]).at(-1)).toBe('');
  expect(shown([...times(40, bad), null]).at(-1)).toBe('');
});

test('a second that was not measured neither ends an alarm nor begins its wait anew', () => {
  const seconds = shown([...times(8, sound(-70)), {}, {}, ...times(6, sound(-70)), {}]);
  expect(seconds.slice(0, 15).join('')).toBe('');
  expect(seconds.slice(15)).toEqual([silent, silent]);
});
