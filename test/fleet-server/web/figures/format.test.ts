import { expect, test } from 'vitest';
import { bitrateWords, bytesWords, framesWords, sizeWords, usedWords } from '#fleet-server/web/figures/format.ts';

test('bitrates', () => {
  expect([null, 0, 640.4, 2512, 12_345].map(bitrateWords)).toEqual(['–', '0 kbit/s', '640 kbit/s', '2.51 Mbit/s', '12.3 Mbit/s']);
});

test('frames', () => {
  expect([undefined, 29.97, 0].map(framesWords)).toEqual(['–', '30.0 fps', '0.0 fps']);
});

test('a size that is not known yet is no size', () => {
  expect([sizeWords(1280, 720), sizeWords(0, 0), sizeWords(null, 720)]).toEqual(['1280×720', '–', '–']);
});

test('bytes', () => {
  expect([512, 20_480, 1_300_000_000, 31_900_000_000].map(bytesWords)).toEqual(['512 B', '20 kB', '1.3 GB', '32 GB']);
});

test('what is used of what there is', () => {
  expect([usedWords(4e9, 3e9), usedWords(0, 0), usedWords(undefined, 1)]).toEqual(['25 %', '–', '–']);
});
