/** The fixtures are what nginx 1.22.1 with libnginx-mod-rtmp 1.2.2 of Debian 12 answered to this relay. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { followReception, noReception } from '#fleet-server/relay/reception.ts';
import { parseStatistics, type RelayStream } from '#fleet-server/relay/statistics.ts';

const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}-debian-12.xml`, import.meta.url), 'utf8');
const video = { width: 320, height: 180, framesPerSecond: 30, codec: 'H264' };

describe('statistics of nginx-rtmp', () => {
  test('nobody', () => expect(parseStatistics(fixture('nobody'))).toEqual([]));

  test('only a player', () => {
    expect(parseStatistics(fixture('only-a-player'))).toEqual([
      { name: 'dev-three', bytesIn: 0, publisher: null, players: 1, video: null, audioCodec: null },
    ]);
  });

  test('two publishers and one player', () => {
    expect(parseStatistics(fixture('two-publishers-one-player'))).toEqual([
      { name: 'dev-two', bytesIn: 234_452, publisher: { connectionId: 12, connectedForMs: 2448 }, players: 0, video, audioCodec: 'AAC' },
      { name: 'dev-one', bytesIn: 265_515, publisher: { connectionId: 7, connectedForMs: 2741 }, players: 1, video, audioCodec: 'AAC' },
    ]);
  });

  test('a publisher without sound', () => {
    const stream = parseStatistics(fixture('without-sound')).find(({ name }) => name === 'dev-three');
    expect(stream).toMatchObject({ video, audioCodec: null, players: 0 });
  });

  test.each([
    '',
    'nginx',
    '<html><body>404</body></html>',
    '<rtmp><server><application><name>live</name><live><stream><name>x</name></stream></live></application></server></rtmp>',
  ])('something else is a named problem: %s', (text) =>
    expect(() => parseStatistics(text)).toThrow('expected the statistics of nginx-rtmp'),
  );
});

describe('reception', () => {
  const stream = (bytesIn: number, more: Partial<RelayStream> = {}): RelayStream => ({
    name: 'dev-one',
    bytesIn,
    publisher: { connectionId: 1, connectedForMs: 500 },
    players: 0,
    video,
    audioCodec: 'AAC',
    ...more,
  });

  /** One reading a second. */
  function follow(readings: readonly (readonly RelayStream[])[], timeOfDayMs = (index: number) => 1_000_000 + index * 1000) {
    let state = noReception;
    return readings.map((streams, index) => {
      const step = followReception(state, streams, { nowMs: timeOfDayMs(index), monotonicMs: index * 1000 });
      state = step.state;
      return step.receptions.get('dev-one');
    });
  }

  test('a stream whose bytes grow is received, with the bitrate of the last seconds', () => {
    const receptions = follow([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((second) => [stream(1000 + second * 312_500)]));
    expect(receptions[0]).toMatchObject({ bitrateKbps: 0, width: 320, receivingSince: new Date(999_500).toISOString() });
    expect(receptions[9]).toMatchObject({ bitrateKbps: 2500, receivingSince: new Date(999_500).toISOString(), viewers: 0 });
  });

  test('a clock that is set back by an hour keeps no silent publisher on the air, and bends no bitrate', () => {
    const readings = [0, 1, 2, 3, 4, 4, 4, 4, 4].map((second) => [stream(1000 + second * 312_500)]);
    const receptions = follow(readings, (index) => 10_000_000 + index * 1000 - (index < 3 ? 0 : 3_600_000));
    expect(receptions[4]).toMatchObject({ bitrateKbps: 2500 });
    expect(receptions[8]).toBeUndefined();
  });

  test('bytes that stop growing are no reception after three seconds, whatever nginx lists', () => {
    const receptions = follow([100, 200, 200, 200, 200, 200, 300].map((bytes) => [stream(bytes)]));
    expect(receptions.map((reception) => reception !== undefined)).toEqual([true, true, true, true, true, false, true]);
  });

  test('players alone are no reception, and neither is a publisher that has sent nothing', () => {
    expect(follow([[stream(500, { publisher: null, players: 3 })]])).toEqual([undefined]);
    expect(follow([[stream(0)]])).toEqual([undefined]);
  });

  test('a stream that is gone is gone', () => {
    expect(follow([[stream(100)], []])[1]).toBeUndefined();
  });

  test('another connection of the same device begins anew', () => {
    const receptions = follow([
      [stream(1000)],
      [stream(900_000)],
      [stream(1_000_000, { publisher: { connectionId: 2, connectedForMs: 100 } })],
    ]);
    expect(receptions[2]).toMatchObject({ bitrateKbps: 0, receivingSince: new Date(1_001_900).toISOString() });
  });

  test('a new size is shown', () => {
    const receptions = follow([[stream(1000)], [stream(2000, { video: { ...video, width: 640, height: 360 } })]]);
    expect(receptions[1]).toMatchObject({ width: 640, height: 360 });
  });
});
