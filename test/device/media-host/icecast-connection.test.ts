import { expect, it } from 'vitest';
import { parseIcecastAddress } from '#device/media-host/icecast-connection.ts';

it.each([
  ['icecast://source:hackme@radio:8001/live.ogg', { host: 'radio', port: 8001, user: 'source', password: 'hackme', mount: '/live.ogg' }],
  ['icecast://dj:p%40ss@[::1]/a/b', { host: '::1', port: 8000, user: 'dj', password: 'p@ss', mount: '/a/b' }],
  ['icecast://dj:100%25@radio/x', { host: 'radio', port: 8000, user: 'dj', password: '100%', mount: '/x' }],
  ['icecast://radio/x', null],
  ['icecast://source@radio/x', null],
  ['icecast://source:p@radio/', null],
  ['http://source:p@radio/x', null],
  ['nonsense', null],
])('%s', (location, expected) => {
  expect(parseIcecastAddress(location)).toEqual(expected);
});
