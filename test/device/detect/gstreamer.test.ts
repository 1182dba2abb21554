import { expect, test } from 'vitest';
import { isH264Encoder, parseElements, parseProperties, parseVersion } from '#device/detect/gstreamer.ts';
import { fixture } from './fixture.ts';

test('elements, and which of them encode H.264', () => {
  const elements = parseElements(fixture('gst-inspect.debian-12-x86-64.txt'));
  expect(elements.has('flvmux')).toBe(true);
  expect(elements.has('clockoverlay')).toBe(true);
  expect(elements.has('video/x-h264')).toBe(false);
  expect([...elements].filter(isH264Encoder)).toEqual(['openh264enc', 'x264enc']);
});

test.each([
  ['v4l2h264enc', true],
  ['vah264enc', true],
  ['omxh264enc', true],
  ['h264parse', false],
  ['openh264dec', false],
  ['uvch264src', false],
])('%s encodes: %s', (element, isEncoder) => {
  expect(isH264Encoder(element)).toBe(isEncoder);
});

test('the version', () => {
  expect(parseVersion(fixture('gst-inspect-version.debian-12-x86-64.txt'))).toBe('1.22.0');
  expect(parseVersion('')).toBeNull();
});

const rows = [
  { name: 'bitrate', kind: 'integer', writable: true, live: true, minimum: 1, maximum: 2048000, choices: [] },
  { name: 'cabac', kind: 'boolean', writable: true, live: false, minimum: null, maximum: null, choices: [] },
  { name: 'ip-factor', kind: 'number', writable: true, live: false, minimum: 0, maximum: 2, choices: [] },
  { name: 'sync-lookahead', kind: 'integer', writable: true, live: false, minimum: -1, maximum: 250, choices: [] },
  {
    name: 'tune',
    kind: 'flags',
    writable: true,
    live: false,
    minimum: null,
    maximum: null,
    choices: ['stillimage', 'fastdecode', 'zerolatency'],
  },
  { name: 'me', kind: 'enum', writable: true, live: false, minimum: null, maximum: null, choices: ['dia', 'hex', 'umh', 'esa', 'tesa'] },
  { name: 'multipass-cache-file', kind: 'string', writable: true, live: false, minimum: null, maximum: null, choices: [] },
  { name: 'min-force-key-unit-interval', kind: 'integer', writable: true, live: false, minimum: 0, maximum: 2 ** 64, choices: [] },
  { name: 'parent', kind: 'other', writable: true, live: false, minimum: null, maximum: null, choices: [] },
];

test.each(rows)('x264enc’s property $name', (row) => {
  const properties = parseProperties(fixture('gst-inspect-x264enc.debian-12-x86-64.txt'));
  expect(properties.find((property) => property.name === row.name)).toEqual(row);
});

test('every property is read, and nothing of the next section', () => {
  const properties = parseProperties(fixture('gst-inspect-x264enc.debian-12-x86-64.txt'));
  expect(properties).toHaveLength(43);
  expect(properties.at(-1)?.name).toBe('weightb');
});

test('negative choices of an enumeration', () => {
  const properties = parseProperties(fixture('gst-inspect-openh264enc.debian-12-x86-64.txt'));
  expect(properties.find((property) => property.name === 'rate-control')?.choices).toEqual(['quality', 'bitrate', 'buffer', 'off']);
});

test('no section of properties', () => {
  expect(parseProperties('No such element or plugin\n')).toEqual([]);
});
