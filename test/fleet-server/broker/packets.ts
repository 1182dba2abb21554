/** Packets of MQTT by hand, and waiting for what comes back: for what no client library would send or tell. */
import type { Socket } from 'node:net';
import type { MqttClient } from 'mqtt';
import { generate, type IConnectPacket, type Packet, parser } from 'mqtt-packet';
import { topicFor } from '#protocol/topics.ts';
import { credentialOf } from './broker-bench.ts';

export function connectPacket(deviceId: string, more: Partial<IConnectPacket> = {}): Buffer {
  const credential = { username: deviceId, password: Buffer.from(credentialOf(deviceId)) };
  return generate({ cmd: 'connect', clientId: deviceId, protocolVersion: 4, clean: true, keepalive: 10, ...credential, ...more });
}

/** The next packet of this kind; rejects when the connection closes before. */
export function nextPacket(socket: Socket, command: Packet['cmd'], onPacket: (packet: Packet) => void = () => {}): Promise<Packet> {
  const packets = parser();
  return new Promise((resolve, reject) => {
    packets.on('packet', (packet: Packet) => {
      onPacket(packet);
      if (packet.cmd === command) resolve(packet);
    });
    socket.on('data', (chunk) => packets.parse(chunk as Buffer));
    socket.once('close', () => reject(new Error(`closed before ${command}`)));
  });
}

/** Resolves when the connection is closed, be it by a reset. */
export function closed(socket: Socket | MqttClient): Promise<void> {
  if ('resume' in socket) socket.resume();
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

export const downward = (deviceId: string) => [
  topicFor(deviceId, 'desired'),
  topicFor(deviceId, 'command'),
  topicFor(deviceId, 'event-ack'),
];

export function nextMessage(client: MqttClient): Promise<[topic: string, payload: Buffer]> {
  return new Promise((resolve) => client.once('message', (topic, payload) => resolve([topic, payload])));
}

export function publish(client: MqttClient, message: { topic: string; payload: string }, qos: 0 | 1, retain = false) {
  return client.publishAsync(message.topic, message.payload, { qos, retain });
}

export function publishPacket({ topic, payload, qos = 1 }: { topic: string; payload: string; qos?: 0 | 1 }): Buffer {
  return generate({ cmd: 'publish', topic, payload, qos, retain: false, dup: false, messageId: 1 });
}

export function subscribePacket(topics: readonly string[]): Buffer {
  return generate({ cmd: 'subscribe', messageId: 2, subscriptions: topics.map((topic) => ({ topic, qos: 1 })) });
}

export function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
