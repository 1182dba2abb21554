/** The questions of an external broker, drawn from their own schemas: whatever comes, an answer in the broker's words, and nobody gets in. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { questionSchemas } from '#fleet-server/broker/external/hook-formats.ts';
import { topicFor } from '#protocol/topics.ts';
import { type ApiUnderTest, type Joined, startApi } from '../fleet-server/api-under-test.ts';
import { nearlyFitting } from './from-schema.ts';
import { failuresIn, longTimeoutMs, parameters, runs } from './inputs.ts';

const secret = 'of-the-broker-alone-0123456789abcdef';
const server = { username: 'fleet', password: 'of-the-servers' };

let api: ApiUnderTest;
let device: Joined;
beforeAll(async () => {
  const address = { isTls: false, host: 'broker', port: 1883, ...server };
  api = await startApi({ externalBroker: { address, deviceUrl: null, caFile: null, access: { kind: 'hooks', secret } } });
  device = await api.join();
});
afterAll(() => api.close());

type Question = { readonly path: string; readonly hook?: string; readonly refusal: unknown };
const emqxRefusal = { result: 'deny' };
const verneMqRefusal = { result: { error: 'not_allowed' } };
const questions: Readonly<Record<keyof typeof questionSchemas, Question>> = {
  emqxConnect: { path: 'emqx/authenticate', refusal: emqxRefusal },
  emqxAuthorize: { path: 'emqx/authorize', refusal: emqxRefusal },
  verneMqConnect: { path: 'vernemq', hook: 'auth_on_register', refusal: verneMqRefusal },
  verneMqPublish: { path: 'vernemq', hook: 'auth_on_publish', refusal: verneMqRefusal },
  verneMqSubscribe: { path: 'vernemq', hook: 'auth_on_subscribe_m5', refusal: verneMqRefusal },
};
const rows = Object.entries(questions) as [keyof typeof questionSchemas, Question][];

async function ask(
  { path, hook }: Question,
  payload: string,
  bearer = secret,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const { statusCode, body } = await api.app.inject({
    method: 'POST',
    url: `/api/v1/broker-hooks/${path}`,
    headers: {
      authorization: `Bearer ${bearer}`,
      'content-type': 'application/json',
      ...(hook === undefined ? {} : { 'vernemq-hook': hook }),
    },
    payload,
  });
  return { status: statusCode, body: JSON.parse(body) };
}

/** Names that exist, so that questions come near to being allowed; no credential and no topic of its own among them. */
function named(value: unknown, at: number): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  // What the fleet servers may say of a topic was settled when they connected.
  const names = 'password' in value ? [device.deviceId, server.username, 'd-unknown000'] : [device.deviceId, 'd-unknown000'];
  const name = names[at % names.length];
  const key = 'clientid' in value ? 'clientid' : 'client_id';
  const others = ['msl/v1/d/+/desired', topicFor(device.deviceId, 'desired'), topicFor('d-unknown000', 'health'), '#', '$SYS/x'];
  const topic = others[at % others.length];
  const isPublish = (value as { action?: unknown }).action !== 'subscribe';
  return { ...value, [key]: name, username: name, ...('topic' in value && isPublish && at % 2 === 0 ? { topic } : {}) };
}

test.each(rows)(
  '%s',
  async (name, question) => {
    const text = fc.oneof(
      { weight: 15, arbitrary: nearlyFitting(questionSchemas[name]).map((value) => JSON.stringify(value)) },
      {
        weight: 15,
        arbitrary: fc.tuple(nearlyFitting(questionSchemas[name]), fc.nat()).map(([value, at]) => JSON.stringify(named(value, at))),
      },
      { weight: 2, arbitrary: fc.string({ unit: 'binary' }) },
      // The last two are no questions, and no longer read whole: the shorter one where nothing but text is asked, the other anywhere.
      { weight: 1, arbitrary: fc.constantFrom('', '{', '{"__proto__":{}}', `"${'x'.repeat(70_000)}"`, `"${'x'.repeat(400_000)}"`) },
    );
    const property = fc.asyncProperty(text, async (payload) => {
      expect(await ask(question, payload), payload.slice(0, 500)).toEqual({ status: 200, body: question.refusal });
    });
    await fc.assert(property, parameters(Math.round(runs(4) / rows.length)));
    expect(failuresIn(api.logText())).toEqual([]);
  },
  longTimeoutMs,
);

test('what is asked for rightly is allowed, so that the refusals before say something', async () => {
  const { deviceId, credential } = device;
  const right = JSON.stringify({ clientid: deviceId, username: deviceId, password: credential });
  expect(await ask(questions.emqxConnect, right)).toEqual({ status: 200, body: { result: 'allow' } });
  expect(await ask(questions.emqxConnect, right, 'another')).toEqual({ status: 200, body: emqxRefusal });
  const payload = 'x'.repeat(70_000);
  const picture = { client_id: deviceId, username: deviceId, topic: topicFor(deviceId, 'preview'), qos: 0, retain: false, payload };
  expect(await ask(questions.verneMqPublish, JSON.stringify(picture))).toEqual({ status: 200, body: { result: 'ok' } });
});
