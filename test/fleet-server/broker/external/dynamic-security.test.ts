/** Against a real mosquitto with dynamic security. */
import { randomUUID } from 'node:crypto';
import { connectAsync } from 'mqtt';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseBrokerUrl } from '#fleet-server/broker/external/broker-address.ts';
import { DynamicSecurity } from '#fleet-server/broker/external/dynamic-security.ts';
import { type DynamicSecurityCommand, deviceAcls, deviceRole } from '#fleet-server/broker/external/dynamic-security-plan.ts';
import { systemClock } from '#fleet-server/clock.ts';
import { sharedTopic, topicFor } from '#protocol/topics.ts';
import { until } from '../../../until.ts';
import { type Mosquitto, startMosquitto } from './mosquitto.ts';

let broker: Mosquitto;
beforeAll(async () => {
  broker = await startMosquitto();
});
afterAll(() => broker.remove());

const id = 'd-race12345678';
const credential = 'its credential';
const connect = () =>
  connectAsync(`mqtt://127.0.0.1:${broker.port}`, { clientId: id, username: id, password: credential, reconnectPeriod: 0 });

type Answered = {
  readonly correlationData?: string;
  readonly error?: string;
  readonly data?: { readonly role?: { readonly acls: readonly { readonly topic: string }[] } };
};

/** As the administrator: what mosquitto answers to each command. The fleet server's answers are heard as well. */
async function control(commands: readonly DynamicSecurityCommand[]): Promise<readonly Answered[]> {
  const [username = '', password = ''] = (broker.environment['FLEET_MQTT_ADMIN'] ?? '').split(':');
  const client = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, { username, password });
  const correlationData = randomUUID();
  const answered = new Promise<readonly Answered[]>((resolve) => {
    client.on('message', (_topic, payload) => {
      const { responses } = JSON.parse(payload.toString('utf8')) as { responses: Answered[] };
      if (responses[0]?.correlationData === correlationData) resolve(responses);
    });
  });
  await client.subscribeAsync('$CONTROL/dynamic-security/v1/response');
  const payload = JSON.stringify({ commands: commands.map((command) => ({ ...command, correlationData })) });
  await client.publishAsync('$CONTROL/dynamic-security/v1', payload);
  const answers = await answered;
  expect(answers.filter(({ error }) => error !== undefined)).toEqual([]);
  await client.endAsync();
  return answers;
}

async function accessUnderTest(isKnown: () => boolean): Promise<DynamicSecurity> {
  const server = parseBrokerUrl(broker.environment['FLEET_MQTT_URL'] ?? '');
  const [username = '', password = ''] = (broker.environment['FLEET_MQTT_ADMIN'] ?? '').split(':');
  if (server === undefined) throw new Error('expected the address of the broker');
  const access = new DynamicSecurity({
    control: { ...server, username, password },
    server,
    caFile: null,
    clock: systemClock,
    random: Math.random,
    log: pino({ enabled: false }),
    isKnown: async () => isKnown(),
    markOf: (name, secret) => `mark of ${name} ${secret.length}`,
  });
  access.start();
  await until('the roles of the servers', 5000, () => access.problem() === null);
  return access;
}

test('a device that is shut out while it is let in stays outside', async () => {
  let isLetIn = true;
  const access = await accessUnderTest(() => isLetIn);
  await access.admit(id, credential);
  const first = await connect();
  await access.revoke(id);
  await until('cut', 5000, () => !first.connected);
  // The server has seen a right credential before somebody blocked the device; only then is the broker told.
  isLetIn = false;
  await access.admit(id, credential);
  await expect(connect()).rejects.toThrow('Not authorized');
  await first.endAsync(true);
  await access.stop();
});

test('a device that sends too much is cut, and comes again with the same credential', async () => {
  const access = await accessUnderTest(() => true);
  await access.admit(id, credential);
  const first = await connect();
  first.on('error', () => undefined);
  await access.cut(id);
  await until('cut', 5000, () => !first.connected);
  const again = await connect();
  expect(again.connected).toBe(true);
  for (const client of [first, again]) await client.endAsync(true);
  await access.stop();
});

test('devices of an older fleet server may write what is new, and no connection is cut for it', async () => {
  const ids = Array.from({ length: 52 }, (_, index) => `d-before${String(index).padStart(6, '0')}`);
  const [first = '', second = ''] = ids;
  const newTopic = (deviceId: string) => topicFor(deviceId, 'command-progress');
  const formerRole = (deviceId: string) => ({
    command: 'createRole',
    rolename: deviceRole(deviceId),
    acls: deviceAcls(deviceId).filter(({ topic }) => topic !== newTopic(deviceId)),
  });
  const client = { username: first, clientid: first, password: credential, roles: [{ rolename: deviceRole(first) }] };
  await control([...ids.map(formerRole), { command: 'createClient', ...client }]);
  const device = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, { ...client, clientId: first, reconnectPeriod: 0 });

  const access = await accessUnderTest(() => true);
  const aclsOf = (answers: readonly Answered[]) => answers.map(({ data }) => data?.role?.acls.map(({ topic }) => topic) ?? []);
  await until('all may write it', 20_000, async () => {
    const acls = aclsOf(await control(ids.map((one) => ({ command: 'getRole', rolename: deviceRole(one) }))));
    return ids.every((one, index) => acls[index]?.includes(newTopic(one)));
  });
  const server = await connectAsync(broker.environment['FLEET_MQTT_URL'] ?? '', { protocolVersion: 5 });
  const heard: string[] = [];
  server.on('message', (topic) => heard.push(topic));
  await server.subscribeAsync(sharedTopic('command-progress'));
  // Refused as before, and dropped in silence.
  await device.publishAsync(newTopic(second), '{}');
  await device.publishAsync(newTopic(first), '{}');
  await until('it is heard', 5000, () => heard.length > 0);
  expect(heard).toEqual([newTopic(first)]);
  for (const one of [device, server]) await one.endAsync(true);
  await access.stop();
});
