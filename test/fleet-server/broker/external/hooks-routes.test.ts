/** The brokers' own documented questions, posted as they post them, against the whole API. No EMQX and no VerneMQ runs here. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { maxPacketBytes, topicFor, upwardTopics } from '#protocol/topics.ts';
import { type ApiUnderTest, type Joined, startApi } from '../../api-under-test.ts';

const secret = 'of-the-broker-alone-0123456789abcdef';
const server = { username: 'fleet', password: 'of-the-servers' };

let api: ApiUnderTest;
let device: Joined;
let other: Joined;
beforeAll(async () => {
  api = await startApi({
    externalBroker: {
      address: { isTls: false, host: 'broker', port: 1883, ...server },
      deviceUrl: null,
      caFile: null,
      access: { kind: 'hooks', secret },
    },
  });
  device = await api.join();
  other = await api.join();
});
afterAll(() => api.close());

type Call = { readonly headers?: Record<string, string>; readonly query?: string };
const post = async (path: string, payload: unknown, { headers, query = '' }: Call = {}) => {
  const response = await api.app.inject({
    method: 'POST',
    url: `/api/v1/broker-hooks/${path}${query}`,
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', ...headers },
    payload: JSON.stringify(payload),
  });
  return { status: response.statusCode, body: response.json<unknown>(), cache: response.headers['cache-control'] };
};

describe('EMQX', () => {
  const allow = { status: 200, body: { result: 'allow' } };
  const deny = { status: 200, body: { result: 'deny' } };
  const connect = (changes: object = {}) => ({
    clientid: device.deviceId,
    username: device.deviceId,
    password: device.credential,
    ...changes,
  });
  const authorize = (changes: object) => ({ clientid: device.deviceId, username: device.deviceId, qos: '1', retain: 'false', ...changes });

  test('lets a device in with its credential, and nobody else', async () => {
    expect(await post('emqx/authenticate', connect())).toMatchObject(allow);
    for (const changes of [
      { password: other.credential },
      { password: '' },
      { username: other.deviceId },
      { clientid: 'd-nobody1234', username: 'd-nobody1234' },
      { clientid: '' },
      { password: undefined },
      { password: 7 },
    ]) {
      expect(await post('emqx/authenticate', connect(changes))).toMatchObject(deny);
    }
  });

  test('lets the fleet servers in', async () => {
    expect(await post('emqx/authenticate', { clientid: 'any', ...server })).toMatchObject(allow);
    expect(await post('emqx/authenticate', { clientid: 'any', ...server, password: 'another' })).toMatchObject(deny);
  });

  test('keeps a device to its own topics', async () => {
    const { deviceId } = device;
    const rows: [object, typeof allow | typeof deny][] = [
      [{ action: 'publish', topic: topicFor(deviceId, 'health') }, allow],
      [{ action: 'subscribe', topic: topicFor(deviceId, 'desired') }, allow],
      [{ action: 'publish', topic: topicFor(other.deviceId, 'health') }, deny],
      [{ action: 'publish', topic: topicFor(deviceId, 'desired') }, deny],
      [{ action: 'publish', topic: topicFor(deviceId, 'health'), retain: 'true' }, deny],
      [{ action: 'publish', topic: topicFor(deviceId, 'health'), retain: true }, deny],
      [{ action: 'publish', topic: topicFor(deviceId, 'health'), qos: 2 }, deny],
      [{ action: 'subscribe', topic: topicFor(other.deviceId, 'desired') }, deny],
      [{ action: 'subscribe', topic: topicFor(deviceId, 'health') }, deny],
      [{ action: 'subscribe', topic: '#' }, deny],
      [{ action: 'subscribe', topic: `$share/x/${topicFor(deviceId, 'desired')}` }, deny],
      [{ action: 'publish', topic: '$SYS/brokers' }, deny],
      [{ action: 'publish', topic: topicFor(deviceId, 'health'), username: other.deviceId }, deny],
      [{ action: 'all', topic: topicFor(deviceId, 'health') }, deny],
    ];
    for (const [changes, expected] of rows)
      expect(await post('emqx/authorize', authorize(changes)), JSON.stringify(changes)).toMatchObject(expected);
  });

  test('lets the fleet servers hear all devices and speak to all, and nothing else', async () => {
    const asServer = (changes: object) => authorize({ clientid: 'any', username: server.username, ...changes });
    const rows: [object, typeof allow | typeof deny][] = [
      [{ action: 'subscribe', topic: '$share/makespacelive/msl/v1/d/+/report' }, allow],
      [{ action: 'subscribe', topic: 'msl/v1/d/+/report' }, allow],
      [{ action: 'publish', topic: topicFor(device.deviceId, 'command') }, allow],
      [{ action: 'publish', topic: topicFor(device.deviceId, 'health') }, deny],
      [{ action: 'subscribe', topic: 'msl/v1/d/+/desired' }, deny],
      [{ action: 'subscribe', topic: '#' }, deny],
    ];
    for (const [changes, expected] of rows)
      expect(await post('emqx/authorize', asServer(changes)), JSON.stringify(changes)).toMatchObject(expected);
  });

  test('denies where anything else would be "ask the next one": no secret, a wrong one, a question that cannot be read', async () => {
    for (const authorization of ['', 'Bearer', 'Bearer wrong', `Basic ${secret}`]) {
      expect(await post('emqx/authenticate', connect(), { headers: { authorization } })).toMatchObject(deny);
    }
    for (const payload of [{}, [], 'text', null]) expect(await post('emqx/authorize', payload)).toMatchObject(deny);
    expect(await post('emqx/authenticate', connect(), { headers: { authorization: '' }, query: `?secret=${secret}` })).toMatchObject(allow);
  });
});

describe('VerneMQ', () => {
  const ok = { status: 200, body: { result: 'ok' } };
  const refused = { status: 200, body: { result: { error: 'not_allowed' } } };
  const ask = (hook: string, payload: object) => post('vernemq', payload, { headers: { 'vernemq-hook': hook } });
  const who = () => ({ mountpoint: '', client_id: device.deviceId, username: device.deviceId });

  test.each(['', '_m5'])('its questions%s', async (suffix) => {
    const { deviceId, credential } = device;
    const peer = { peer_addr: '127.0.0.1', peer_port: 8888, clean_session: true };
    expect(await ask(`auth_on_register${suffix}`, { ...peer, ...who(), password: credential })).toMatchObject(ok);
    expect(await ask(`auth_on_register${suffix}`, { ...peer, ...who(), password: 'wrong' })).toMatchObject(refused);
    expect(await ask(`auth_on_register${suffix}`, { ...peer, ...who(), username: null, password: credential })).toMatchObject(refused);
    const message = { ...who(), qos: 1, payload: 'aGVsbG8=', retain: false };
    expect(await ask(`auth_on_publish${suffix}`, { ...message, topic: topicFor(deviceId, 'hello') })).toMatchObject(ok);
    expect(await ask(`auth_on_publish${suffix}`, { ...message, topic: topicFor(other.deviceId, 'hello') })).toMatchObject(refused);
    expect(await ask(`auth_on_publish${suffix}`, { ...message, retain: true, topic: topicFor(deviceId, 'hello') })).toMatchObject(refused);
    const own = { topic: topicFor(deviceId, 'desired'), qos: 1 };
    expect(await ask(`auth_on_subscribe${suffix}`, { ...who(), topics: [own] })).toMatchObject(ok);
    expect(await ask(`auth_on_subscribe${suffix}`, { ...who(), topics: [own, { topic: '#', qos: 1 }] })).toMatchObject(refused);
    expect(await ask(`auth_on_subscribe${suffix}`, { ...who(), topics: [] })).toMatchObject(refused);
  });

  test.each(['', '_m5'])('the largest picture, in base64 as it sends it by itself, and without any%s', async (suffix) => {
    const message = { ...who(), qos: 0, retain: false, topic: topicFor(device.deviceId, 'preview') };
    for (const bytes of [50 * 1024, upwardTopics.preview.maxBytes]) {
      const payload = Buffer.alloc(bytes, 0xff).toString('base64');
      expect(await ask(`auth_on_publish${suffix}`, { ...message, payload })).toMatchObject(ok);
      expect(await ask(`auth_on_publish${suffix}`, { ...message, payload, topic: topicFor(other.deviceId, 'preview') })).toMatchObject(
        refused,
      );
    }
    expect(await ask(`auth_on_publish${suffix}`, message)).toMatchObject(ok);
    const tooLarge = Buffer.alloc(2 * maxPacketBytes).toString('base64');
    expect(await ask(`auth_on_publish${suffix}`, { ...message, payload: tooLarge })).toMatchObject(refused);
  });

  test('without the secret nothing is read of what comes', async () => {
    const address = await api.app.listen({ host: '127.0.0.1', port: 0 });
    const question = request(`${address}/api/v1/broker-hooks/vernemq`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': upwardTopics.preview.maxBytes, 'vernemq-hook': 'auth_on_publish' },
    });
    question.on('error', () => undefined);
    question.flushHeaders();
    const [answer] = (await once(question, 'response')) as [IncomingMessage];
    expect({ status: answer.statusCode, body: await json(answer) }).toEqual(refused);
    question.destroy();
  });

  test('nothing is kept in its cache, and another hook is refused', async () => {
    const { cache, ...answer } = await ask('auth_on_register', { ...who(), password: device.credential });
    expect(answer).toEqual(ok);
    expect(cache ?? '').not.toContain('max-age');
    expect(await ask('on_publish', who())).toMatchObject(refused);
    expect(await post('vernemq', who())).toMatchObject(refused);
  });
});

test('a device that was removed is refused at its next word', async () => {
  const leaving = await api.join();
  const payload = {
    clientid: leaving.deviceId,
    username: leaving.deviceId,
    action: 'publish',
    topic: topicFor(leaving.deviceId, 'health'),
  };
  expect((await post('emqx/authorize', payload)).body).toEqual({ result: 'allow' });
  await api.request({ method: 'DELETE', url: `/api/v1/devices/${leaving.deviceId}` });
  expect((await post('emqx/authorize', payload)).body).toEqual({ result: 'deny' });
});

test('neither the secret nor a credential stands in the log', () => {
  for (const text of [secret, device.credential, server.password]) expect(api.logText()).not.toContain(text);
});
