import { expect, it } from 'vitest';
import { icecastRefusalWords, networkErrorWords } from '#device/media-host/icecast-error.ts';
import { isAway, isRefusal } from '#device/media-host/rtmp-error.ts';

it.each([
  [401, 'You need to authenticate', 'refused by the server: user name or password wrong'],
  [403, 'Mountpoint in use', 'refused by the server: the mount is in use'],
  [403, 'too many sources connected', 'refused by the server: it takes no more sources'],
  [403, 'Content-type not supported', 'refused by the server: this mount or this kind of sound is not allowed'],
  [500, 'source:hackme', 'refused by the server: it answered 500'],
])('%i %s', (status, body, words) => {
  expect(icecastRefusalWords(status, body)).toBe(words);
  expect(isRefusal(words)).toBe(true);
});

it.each([
  ['ENOTFOUND', 'no such host', true],
  ['ECONNREFUSED', 'connection refused: nothing listens there', true],
  ['EHOSTUNREACH', 'the network does not reach the server', true],
  ['ETIMEDOUT', 'no answer from the server', true],
  ['ECONNRESET', 'closed by the server', false],
  [undefined, 'closed by the server', false],
])('%s', (code, words, isServerAway) => {
  expect(networkErrorWords(code)).toBe(words);
  expect(isAway(words)).toBe(isServerAway);
});
