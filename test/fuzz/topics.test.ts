/** Every topic, with messages drawn from its own schema: whatever a device says, the server goes on, and so does the API that shows it. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deliverUpward } from '#fleet-server/broker/deliver-upward.ts';
import type { UpwardMessage } from '#fleet-server/devices/live-device.ts';
import { routeUpward } from '#fleet-server/devices/upward-router.ts';
import { decodeDownward, decodeUpward, downwardBodies, type PictureTopic, type UpwardName, upwardBodies } from '#protocol/envelope.ts';
import { Session, Timestamp } from '#protocol/identifiers.ts';
import { upwardTopics } from '#protocol/topics.ts';
import { type ApiUnderTest, type Joined, startApi } from '../fleet-server/api-under-test.ts';
import { fitting, nearlyFitting } from './from-schema.ts';
import { failuresIn, longTimeoutMs, parameters, runs } from './inputs.ts';

let api: ApiUnderTest;
let devices: readonly Joined[];
beforeAll(async () => {
  api = await startApi();
  devices = [await api.join({ name: 'stage' }), await api.join({ name: 'door', group: 'hall' })];
  for (const { deviceId } of devices) api.voice(deviceId).connect();
});
afterAll(() => api.close());

type Said = { readonly name: UpwardName; readonly deviceId: string; readonly payload: string };

const names = Object.keys(upwardBodies) as UpwardName[];
/** Few sessions and sequences, so that what comes is sometimes news, sometimes stale, sometimes of an older session. */
const session = fc.oneof(fc.record({ bootId: fc.constantFrom('a', 'b'), counter: fc.integer({ min: 1, max: 40 }) }), fitting(Session));
const sequence = fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.maxSafeNat());

// Nothing is added: what a newer agent says beyond the schema is let through, and these answers are checked to the letter.
const spoilings = ['replace', 'remove'] as const;

function saying(name: UpwardName, deviceId: string): fc.Arbitrary<Said> {
  const envelope = fc.record({
    v: fc.constant(1),
    session,
    sequence,
    sentAt: fitting(Timestamp),
    body: nearlyFitting(upwardBodies[name], spoilings),
  });
  const text = fc.oneof(
    { weight: 19, arbitrary: envelope.map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: fc.oneof(fc.json(), fc.string({ unit: 'binary' })) },
  );
  return text.map((payload) => ({ name, deviceId, payload }));
}

async function hear({ name, deviceId, payload }: Said): Promise<void> {
  const decoded = decodeUpward(name, Buffer.from(payload));
  if (decoded.kind === 'problem') {
    expect(decoded.message.length).toBeLessThan(300);
    return;
  }
  await routeUpward(api.app, { deviceId, name, envelope: decoded.envelope } as UpwardMessage);
}

/** Everything that shows what a device said; each answer is checked against its schema. */
async function look(deviceId: string): Promise<void> {
  const device = `/api/v1/devices/${deviceId}`;
  const addresses = [
    '/api/v1/devices',
    '/metrics',
    '/api/v1/alerts',
    device,
    `${device}/settings`,
    `${device}/health`,
    `${device}/history`,
  ];
  for (const url of addresses) {
    const { statusCode, body } = await api.request({ method: 'GET', url });
    expect(statusCode, `${url}: ${body} ${statusCode === 200 ? '' : failuresIn(api.logText()).at(-1)}`).toBe(200);
  }
}

describe('every upward topic', () => {
  test.each(names)(
    '%s: whatever fits its schema is dealt with and shown, and nothing else gets in',
    async (name) => {
      let heard = 0;
      const [device] = devices;
      if (device === undefined) throw new Error('expected a device');
      const property = fc.asyncProperty(saying(name, device.deviceId), async (said) => {
        await hear(said);
        heard += 1;
        if (heard % 25 === 0) await look(said.deviceId);
      });
      await fc.assert(property, parameters(Math.round(runs(25) / names.length)));
      expect(failuresIn(api.logText())).toEqual([]);
    },
    longTimeoutMs,
  );

  test(
    'in any order, from several devices, while time passes',
    async () => {
      const one = fc
        .tuple(fc.constantFrom(...names), fc.nat({ max: 2 }))
        .chain(([name, which]) => saying(name, devices[which]?.deviceId ?? 'd-unknown000'));
      const story = fc.array(one, { minLength: 5, maxLength: 30 });
      const play = async (messages: readonly Said[]) => {
        for (const said of messages) await hear(said);
        await api.clock.advance(1000);
        // At one of them: looking is what takes the time. By what was said, so that a failing story fails again.
        const seen = devices[messages.length % devices.length];
        if (seen !== undefined) await look(seen.deviceId);
      };
      await fc.assert(fc.asyncProperty(story, play), parameters(Math.round(runs(10) / 15)));
      expect(failuresIn(api.logText())).toEqual([]);
    },
    longTimeoutMs,
  );
});

describe('every topic of pictures', () => {
  test.each(['preview', 'snapshot'] as const)(
    '%s: the newest one that is a JPEG is shown to the byte, and nothing else',
    async (name) => {
      const [device] = devices;
      if (device === undefined) throw new Error('expected a device');
      const start = fc.constantFrom([], [0xff], [0xff, 0xd8], [0xff, 0xd8, 0xff], [0xff, 0xd8, 0xff]);
      const bytes = fc.tuple(start, fc.oneof(fc.uint8Array({ maxLength: 2000 }), fc.constant(new Uint8Array(upwardTopics[name].maxBytes))));
      let newest: Buffer | undefined;
      const property = fc.asyncProperty(bytes, async ([first, rest]) => {
        const payload = Buffer.from([...first, ...rest]);
        const hooks = {
          handleUpward: () => undefined,
          onPicture: (...picture: [string, PictureTopic, Buffer]) => api.app.devices.onPicture(...picture),
        };
        const problem = await deliverUpward(hooks, device.deviceId, name, payload);
        if (problem === undefined) newest = payload;
        else expect(['not-a-jpeg', 'too-large']).toContain(problem.code);
        const { statusCode, headers, rawPayload } = await api.request({
          method: 'GET',
          url: `/api/v1/devices/${device.deviceId}/${name}.jpg`,
        });
        expect(statusCode).toBe(newest === undefined ? 404 : 200);
        if (newest === undefined) return;
        expect(headers['content-type']).toBe('image/jpeg');
        expect(newest.equals(rawPayload)).toBe(true);
      });
      await fc.assert(property, parameters(runs(1)));
      expect(newest).toBeDefined();
      expect(failuresIn(api.logText())).toEqual([]);
    },
    longTimeoutMs,
  );
});

describe('every downward topic', () => {
  test.each(Object.keys(downwardBodies) as (keyof typeof downwardBodies)[])(
    '%s: the device reads it or says what is wrong with it',
    (name) => {
      const envelope = fc.record({ v: fc.constantFrom(1, 1, 1, 2), sentAt: fitting(Timestamp), body: nearlyFitting(downwardBodies[name]) });
      const property = fc.property(envelope, (value) => {
        expect(['message', 'problem']).toContain(decodeDownward(name, Buffer.from(JSON.stringify(value))).kind);
      });
      fc.assert(property, parameters(Math.round(runs(5) / 3)));
    },
    longTimeoutMs,
  );
});
