import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createChangeFeed } from '#fleet-server/changes/change-feed.ts';
import type { Change } from '#protocol/model/change.ts';
import { until } from '../../until.ts';
import { type ApiUnderTest, adminPassword, startApi } from '../api-under-test.ts';
import { manualClock } from '../manual-clock.ts';

describe('the feed', () => {
  test('a burst about one thing is told at once and once more at its end; other things are not held up', async () => {
    const clock = manualClock();
    const feed = createChangeFeed({ clock });
    const told: [number, Change][] = [];
    feed.subscribe(({ id, change }) => told.push([id, change]));
    const one: Change = { subject: 'device', deviceId: 'one' };
    const two: Change = { subject: 'device', deviceId: 'two' };
    for (let count = 0; count < 100; count += 1) feed.publish(one);
    feed.publish(two);
    expect(told).toEqual([
      [1, one],
      [2, two],
    ]);
    await clock.advance(300);
    expect(told.slice(2)).toEqual([[3, one]]);
    await clock.advance(5000);
    expect(told).toHaveLength(3);
    feed.publish(one);
    expect(told).toHaveLength(4);
    feed.stop();
  });

  test('goes at most four times a second through a steady stream', async () => {
    const clock = manualClock();
    const feed = createChangeFeed({ clock });
    let told = 0;
    feed.subscribe(() => {
      told += 1;
    });
    for (let ms = 0; ms < 2000; ms += 10) {
      feed.publish({ subject: 'device', deviceId: 'one' });
      await clock.advance(10);
    }
    expect(told).toBeGreaterThanOrEqual(8);
    expect(told).toBeLessThanOrEqual(9);
    feed.stop();
  });
});

describe('over HTTP', () => {
  let api: ApiUnderTest;
  let url: string;
  beforeEach(async () => {
    api = await startApi();
    await api.app.listen({ port: 0, host: '127.0.0.1' });
    url = `http://127.0.0.1:${(api.app.server.address() as AddressInfo).port}/api/v1/changes`;
  });
  afterEach(() => api.close());

  const open = async (cookie: string) => {
    const controller = new AbortController();
    const response = await fetch(url, { headers: { cookie }, signal: controller.signal });
    let text = '';
    let isOver = false;
    const reading = (async () => {
      for await (const chunk of response.body ?? []) text += new TextDecoder().decode(chunk as Uint8Array);
    })()
      .catch(() => {})
      .finally(() => {
        isOver = true;
      });
    return { response, text: () => text, isOver: () => isOver, end: () => controller.abort(), reading };
  };

  test('nobody listens without having signed in', async () => {
    expect((await fetch(url)).status).toBe(401);
  });

  test('a change arrives as an event, a heartbeat as a comment, and the listener is forgotten when it goes', async () => {
    const stream = await open(await api.signIn('admin', adminPassword));
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(stream.response.headers.get('content-security-policy')).toContain("default-src 'none'");
    api.app.changes.publish({ subject: 'relay' });
    await until('the change', 2000, () => stream.text().includes('event: change\nid: 1\ndata: {"subject":"relay"}\n\n'));
    await api.clock.advance(15_000);
    await until('the heartbeat', 2000, () => stream.text().includes(': still here\n\n'));
    expect(api.app.changes.listenerCount()).toBe(1);
    stream.end();
    await until('no listener', 2000, () => api.app.changes.listenerCount() === 0);
  });

  test('a connection ends with its session', async () => {
    const cookie = await api.signIn('admin', adminPassword);
    const stream = await open(cookie);
    await api.request({ method: 'DELETE', url: '/api/v1/session', as: cookie });
    await api.clock.advance(15_000);
    await until('the end', 2000, () => stream.isOver());
  });

  test('a client that does not read is cut off, and the others are not held up', async () => {
    const cookie = await api.signIn('admin', adminPassword);
    const { port } = api.app.server.address() as AddressInfo;
    const lazy = connect(port, '127.0.0.1');
    lazy.pause();
    lazy.write(`GET /api/v1/changes HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\n\r\n`);
    await until('the first listener', 2000, () => api.app.changes.listenerCount() === 1);
    const reader = await open(cookie);
    await until('both listeners', 2000, () => api.app.changes.listenerCount() === 2);
    // More than the sockets' own buffers hold.
    const long = 'x'.repeat(10_000);
    for (let round = 0; round < 2000 && api.app.changes.listenerCount() === 2; round += 1) {
      api.app.changes.publish({ subject: 'device', deviceId: `${round}-${long}` });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until('one listener', 5000, () => api.app.changes.listenerCount() === 1);
    expect(reader.isOver()).toBe(false);
    reader.end();
    lazy.destroy();
  });

  test('the server stops although somebody listens', async () => {
    const stream = await open(await api.signIn('admin', adminPassword));
    await api.close();
    await until('the end', 2000, () => stream.isOver());
  });
});
