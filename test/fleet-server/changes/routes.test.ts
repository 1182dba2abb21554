import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../until.ts';
import { type ApiUnderTest, adminPassword, startApi } from '../api-under-test.ts';

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

  test('one person cannot take the places of all', async () => {
    const cookie = await api.addPerson('vera', 'viewer');
    const streams = await Promise.all(Array.from({ length: 100 }, () => open(cookie)));
    const refused = await open(cookie);
    expect(refused.response.status).toBe(503);
    await refused.reading;
    expect(JSON.parse(refused.text())).toMatchObject({ code: 'too-busy', message: expect.stringContaining('of vera') });
    const other = await open(await api.signIn('admin', adminPassword));
    expect(other.response.status).toBe(200);
    streams[0]?.end();
    await until('a place', 2000, () => api.app.changes.listenerCount() === 100);
    const again = await open(cookie);
    expect(again.response.status).toBe(200);
    for (const stream of [...streams, other, again]) stream.end();
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
      // So many in a window are told each.
      if (round % 40 === 39) await api.clock.advance(1000);
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
