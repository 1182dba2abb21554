import { expect, test } from 'vitest';
import {
  bitrateWords,
  bytesWords,
  clockOffsetWords,
  framesWords,
  sizeWords,
  usedWords,
  wifiWords,
} from '#fleet-server/web/figures/format.ts';

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

test('a clock that is off, by more than what is not known', () => {
  expect([clockOffsetWords(2500), clockOffsetWords(-428, 100)]).toEqual(['2.5 s ahead', '428 ms behind']);
  expect([clockOffsetWords(-428, 500), clockOffsetWords(0)]).toEqual(['right, ± 500 ms', 'right, ± 1 ms']);
});

test('Wi-Fi, as far as the device tells', () => {
  expect([wifiWords({ wifiSignalDbm: -61, wifiRateMbps: 72.2 }), wifiWords({ wifiSignalDbm: -61 }), wifiWords({})]).toEqual([
    '-61 dBm, 72 Mbit/s',
    '-61 dBm',
    '',
  ]);
});
