import { expect, test } from 'vitest';
import { containerOf, sniffedBytes } from '#device/media-host/file/container.ts';

const head = (text: string) => Buffer.concat([Buffer.from(text, 'latin1'), Buffer.alloc(sniffedBytes)]);
const transport = Buffer.alloc(sniffedBytes);
for (let packet = 0; packet < 5; packet += 1) transport[packet * 188] = 0x47;

test.each([
  ['MP4', head('\0\0\0\x20ftypisom'), 'qtdemux'],
  ['an old QuickTime film', head('\0\0\0\x08wide'), 'qtdemux'],
  ['Matroska or WebM', head('\x1a\x45\xdf\xa3'), 'matroskademux'],
  ['Ogg', head('OggS'), 'oggdemux'],
  ['FLV', head('FLV\x01\x05'), 'flvdemux'],
  ['AVI', head('RIFF\0\0\0\0AVI LIST'), 'avidemux'],
  ['MPEG-TS', transport, 'tsdemux'],
])('%s', (_, bytes, container) => {
  expect(containerOf(bytes)).toBe(container);
});

test.each([
  ['a playlist', head('#EXTM3U\nhttp://192.0.2.1/x.ts')],
  ['a description of a session', head('v=0\r\no=- 0 0 IN IP4 192.0.2.1')],
  ['DASH', head('<?xml version="1.0"?><MPD>')],
  ['a smooth streaming manifest', head('<SmoothStreamingMedia>')],
  ['a sound file', head('RIFF\0\0\0\0WAVEfmt ')],
  ['a picture', head('\x89PNG\r\n')],
  ['nothing', Buffer.alloc(0)],
  ['G and nothing more', Buffer.from('G')],
  ['a text with a G at its beginning', head('Good morning')],
])('%s is none', (_, bytes) => {
  expect(containerOf(bytes)).toBeNull();
});
