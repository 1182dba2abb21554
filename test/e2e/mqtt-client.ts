/** A stranger at the broker's door, with MQTT.js as anybody would use it. */
import mqtt from 'mqtt';
import type { RunningSystem } from './running-system.ts';

export type Stranger = {
  readonly client: mqtt.MqttClient;
  readonly received: string[];
  close(): Promise<void>;
};

export async function connectAs(
  system: RunningSystem,
  { clientId, userName, password }: { readonly clientId: string; readonly userName: string; readonly password: string },
): Promise<Stranger> {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${system.mqttPort}`, {
    clientId,
    username: userName,
    password,
    keepalive: 10,
    reconnectPeriod: 0,
    connectTimeout: 5000,
  });
  const received: string[] = [];
  client.on('message', (topic) => received.push(topic));
  // A refused publish ends the connection from the other side: that is an answer, not a fault of the test.
  client.on('error', (error) => received.push(`error: ${error.message}`));
  return { client, received, close: () => client.endAsync(true) };
}

export async function subscribeAs({ client }: Stranger, topic: string): Promise<'granted' | 'refused'> {
  try {
    const grants = await client.subscribeAsync(topic, { qos: 1 });
    return grants.every(({ qos }) => qos === 128) ? 'refused' : 'granted';
  } catch (cause) {
    if (cause instanceof Error && /Unspecified error|128|closed/i.test(cause.message)) return 'refused';
    throw cause;
  }
}

/** Publishes and waits until the broker has taken it or has closed the connection. */
export async function publishAs({ client }: Stranger, topic: string, payload: string): Promise<'taken' | 'closed'> {
  const closed = new Promise<'closed'>((resolve) => client.once('close', () => resolve('closed')));
  return Promise.race([client.publishAsync(topic, payload, { qos: 1 }).then(() => 'taken' as const), closed]);
}
