import { expect, test } from 'vitest';
import { judgeRunningTarget, judgeTarget } from '#device/doctor/judge-target.ts';
import { namelessErrorWords, noAnswerWords, rtmpErrorWords, stalledWords } from '#device/media-host/rtmp-error.ts';
import type { OutputState } from '#protocol/media.ts';

const waiting = (lastError: string): OutputState => ({ kind: 'waiting', attempt: 1, nextTryAt: '2026-11-21T12:00:00Z', lastError });

test.each([
  ["'publish' cmd failed: connection closed remotely", /does not take this key/],
  ['Error resolving “nowhere.invalid”: Name or service not known', /mistake in the address/],
  ['Could not connect to 127.0.0.1: Connection refused', /no server listens/],
  ['NetStream.Publish.BadName', /streams with this key already/],
  ["'connect' cmd failed", /last part of the address/],
  ['Network is unreachable', /cable or the Wi-Fi/],
  ['Unacceptable TLS certificate', /clock of this device/],
  ['invalid address', /^Nothing was sent/],
])('every way to fail has its own advice: %s', (text, advice) => {
  const check = judgeTarget('rtmp', 'rtmp://h/live', waiting(rtmpErrorWords(text)), 0);
  expect(check).toMatchObject({ state: 'fail', detail: `rtmp://h/live: ${rtmpErrorWords(text)}`, advice: expect.stringMatching(advice) });
});

test('a refusal of a stream without a name is about the key that is missing', () => {
  const words = namelessErrorWords(rtmpErrorWords("'publish' cmd failed"), 'AV_STREAM_KEY_2');
  expect(judgeTarget('rtmp-2', 'rtmp://h/live', waiting(words), 0).advice).toMatch(/^Set the key/);
});

test.each([noAnswerWords, stalledWords])('%s', (words) => {
  expect(judgeTarget('rtmp', 'rtmp://h/live', waiting(words), 0).advice).toMatch(/firewall/);
});

test('taken, still connecting, never begun', () => {
  const states: OutputState[] = [
    { kind: 'streaming', since: '' },
    { kind: 'connecting', attempt: 1 },
    { kind: 'connecting', attempt: 2, lastError: 'connection refused' },
    { kind: 'stopped' },
  ];
  expect(states.map((state) => judgeTarget('rtmp', 'rtmp://h/live', state, 2000)).map(({ state, detail }) => [state, detail])).toEqual([
    ['pass', 'rtmp://h/live: took 2 s of a test picture'],
    ['fail', 'rtmp://h/live: no answer from the server'],
    ['fail', 'rtmp://h/live: connection refused'],
    ['fail', 'rtmp://h/live: the stream did not start'],
  ]);
});

test('the word of a running agent', () => {
  expect(judgeRunningTarget('rtmp', 'rtmp://h/live', { kind: 'streaming', since: '12:00' }).state).toBe('pass');
  expect(judgeRunningTarget('rtmp', 'rtmp://h/live', waiting('no such host')).detail).toBe('rtmp://h/live: no such host (says the agent)');
  const again = { kind: 'connecting', attempt: 2, lastError: 'no such host' } as const;
  expect(judgeRunningTarget('rtmp', 'rtmp://h/live', again).detail).toBe('rtmp://h/live: no such host (says the agent)');
  expect(judgeRunningTarget('rtmp', 'rtmp://h/live', { kind: 'connecting', attempt: 2 }).state).toBe('fail');
});
