import { expect, test } from 'vitest';
import { parseAlsaCaptures, parseAlsaCards } from '#device/detect/alsa.ts';
import { fixture } from './fixture.ts';

test('cards', () => {
  expect(parseAlsaCards(fixture('asound-cards.made-up.txt'))).toEqual([
    { number: 0, id: 'Headphones', driver: 'bcm2835_headpho', name: 'bcm2835 Headphones' },
    { number: 1, id: 'WEBCAM', driver: 'USB-Audio', name: 'C270 HD WEBCAM' },
    { number: 2, id: 'vc4hdmi0', driver: 'vc4-hdmi', name: 'vc4-hdmi-0' },
  ]);
});

test('only devices that capture', () => {
  expect(parseAlsaCaptures(fixture('asound-pcm.made-up.txt'))).toEqual([{ card: 1, device: 0, name: 'USB Audio' }]);
});

test('a loopback card: both of its devices capture', () => {
  expect(parseAlsaCards(fixture('asound-cards-loopback.debian-12-x86-64.txt'))).toEqual([
    { number: 0, id: 'Loopback', driver: 'Loopback', name: 'Loopback' },
  ]);
  expect(parseAlsaCaptures(fixture('asound-pcm-loopback.debian-12-x86-64.txt'))).toEqual([
    { card: 0, device: 0, name: 'Loopback PCM' },
    { card: 0, device: 1, name: 'Loopback PCM' },
  ]);
});

test('a device that plays and captures', () => {
  expect(parseAlsaCaptures('03-01: Loopback PCM : Loopback PCM : playback 8 : capture 8\n')).toEqual([
    { card: 3, device: 1, name: 'Loopback PCM' },
  ]);
});

test.each(['', '--- no soundcards ---\n'])('no card in %j', (text) => {
  expect(parseAlsaCards(text)).toEqual([]);
  expect(parseAlsaCaptures(text)).toEqual([]);
});
