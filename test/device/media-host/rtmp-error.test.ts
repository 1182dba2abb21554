import { expect, it } from 'vitest';
import { isAway, isRefusal, namelessErrorWords, rtmpErrorWords } from '#device/media-host/rtmp-error.ts';

/** Texts of rtmp2sink of GStreamer 1.22 on x86-64 Debian 12, against nginx-rtmp 1.2.2; the last rows are made up. */
it.each([
  [
    "Failed to connect: 'publish' cmd failed: connection closed remotely",
    'refused by the server: wrong stream key, or streaming is not allowed',
  ],
  [
    "Failed to connect: 'connect' cmd failed: connection closed remotely",
    'refused by the server: no such application, or connecting is not allowed',
  ],
  [
    'Failed to connect: publish denied; stream already exists: { "level": "error", "code": "NetStream.Publish.BadName", "description": "Already publishing" }',
    'refused by the server: a stream of this name is already there',
  ],
  ['Connection refused: Could not connect to 127.0.0.1: Connection refused', 'connection refused: nothing listens there'],
  ['Failed to connect: Error resolving “nohost.invalid”: Name or service not known', 'no such host'],
  ['Failed to connect: Socket I/O timed out', 'no answer from the server'],
  ['Failed to connect: Short read (want 3073 have 309)', 'the server does not speak RTMP'],
  ['Failed to connect: Host is not set', 'expected an address rtmp://host[:port]/application'],
  [
    'Failed to connect: Unacceptable TLS certificate',
    'untrusted certificate: the server’s is not signed by an authority known here, is out of date or bears another name',
  ],
  ['Failed to connect: Error performing TLS handshake', 'no secure connection: the server does not speak TLS there'],
  ['Connection error: connection closed remotely', 'closed by the server'],
  ['Connection error: Error sending data: Broken pipe', 'closed by the server'],
  ['Could not connect to 192.0.2.1: Network is unreachable', 'the network does not reach the server'],
  ['rtmp://relay/live/dev-1?key=secret went wrong', 'the connection failed for an unknown reason'],
])('%s', (text, words) => {
  expect(rtmpErrorWords(text)).toBe(words);
});

it.each([
  ['Connection refused: Could not connect to 127.0.0.1: Connection refused', 'away'],
  ['Failed to connect: Error resolving “nohost.invalid”: Name or service not known', 'away'],
  ['Failed to connect: Socket I/O timed out', 'away'],
  ['Could not connect to 192.0.2.1: Network is unreachable', 'away'],
  ["'publish' cmd failed: connection closed remotely", 'refusal'],
  ['Failed to connect: Unacceptable TLS certificate', 'refusal'],
  ['Connection error: connection closed remotely', 'neither'],
  ['something else', 'neither'],
])('%s: %s', (text, kind) => {
  const words = rtmpErrorWords(text);
  expect(isAway(words) ? 'away' : isRefusal(words) ? 'refusal' : 'neither').toBe(kind);
});

it.each([
  [
    "'publish' cmd failed: connection closed remotely",
    'refused by the server: wrong stream key, or streaming is not allowed; AV_STREAM_KEY is empty',
  ],
  ['NetStream.Publish.BadName', 'refused by the server: a stream of this name is already there; AV_STREAM_KEY is empty'],
  ["'connect' cmd failed: connection closed remotely", 'refused by the server: no such application, or connecting is not allowed'],
  ['Socket I/O timed out', 'no answer from the server'],
])('a stream without a name: %s', (text, words) => {
  const told = namelessErrorWords(rtmpErrorWords(text), 'AV_STREAM_KEY');
  expect(told).toBe(words);
  expect(isRefusal(told)).toBe(isRefusal(rtmpErrorWords(text)));
});
