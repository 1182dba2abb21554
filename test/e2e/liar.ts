/** A device that is not what it says: it speaks the real protocol, says that it streams, and sends the relay nothing. */
import mqtt from 'mqtt';
import { decodeDownward, encodeUpward, type UpwardBody, type UpwardName } from '#protocol/envelope.ts';
import type { Command, Health } from '#protocol/messages.ts';
import { topicFor, upwardTopics } from '#protocol/topics.ts';
import { madeUpBoard } from '../device/made-up-board.ts';
import type { RunningSystem } from './running-system.ts';

export type Liar = {
  readonly deviceId: string;
  readonly commands: readonly Command[];
  close(): Promise<void>;
};

const reportEveryMs = 1000;

/** @param target the relay's address without a key, as the fleet's real device reports it */
export async function startLiar(system: RunningSystem, target: string): Promise<Liar> {
  const tokenAnswer = await system.api.request('POST', '/join-tokens', { uses: 1 });
  const { token } = (await tokenAnswer.json()) as { token: string };
  const enrolment = await fetch(`${system.url}/api/v1/enrolments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ joinToken: token, name: 'a liar' }),
  });
  const { deviceId, credential } = (await enrolment.json()) as { deviceId: string; credential: string };
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${system.mqttPort}`, {
    clientId: deviceId,
    username: deviceId,
    password: credential,
    keepalive: 10,
    reconnectPeriod: 0,
  });
  const commands: Command[] = [];
  client.on('message', (topic, payload) => {
    if (topic !== topicFor(deviceId, 'command')) return;
    const decoded = decodeDownward('command', payload);
    if (decoded.kind === 'message') commands.push(decoded.envelope.body);
  });
  await client.subscribeAsync([topicFor(deviceId, 'command'), topicFor(deviceId, 'desired')], { qos: 1 });

  let sequence = 0;
  async function send<N extends UpwardName>(name: N, body: UpwardBody<N>): Promise<void> {
    sequence += 1;
    const payload = encodeUpward(name, { session: { bootId: 'liar', counter: 1 }, sequence, sentAt: new Date().toISOString(), body });
    await client.publishAsync(topicFor(deviceId, name), payload, { qos: upwardTopics[name].qos });
  }
  const since = new Date().toISOString();
  const health: Health = {
    media: { kind: 'running', since },
    figures: { framesPerSecond: 30, videoBitrateKbps: 2500, audioBitrateKbps: 128, framesTotal: 900, width: 1280, height: 720 },
    outputs: [
      {
        id: 'rtmp',
        kind: 'rtmp',
        target,
        state: { kind: 'streaming', since },
        connections: 1,
        bytesSent: 1,
        droppedGroups: 0,
        queuedBytes: 0,
      },
    ],
    conditions: [],
    board: madeUpBoard,
  };
  await send('presence', { state: 'online', reason: 'connected' });
  await send('hello', {
    inventoryDigest: '0'.repeat(64),
    versions: { agent: '0', node: '0', gstreamer: '0', os: '0' },
    appliedRevision: 0,
    appliedDigest: null,
  });
  await send('report', {
    inventory: { board: { id: 'liar', name: 'liar', architecture: 'x64' }, cameras: [], microphones: [], encoders: [] },
    settings: { AV_STREAM_URL: { value: target, level: 'relay' } },
    source: { kind: 'test', id: 'test', label: 'nothing at all' },
    encoder: 'x264enc',
    media: health.media,
    outputs: health.outputs,
    conditions: [],
    appliedRevision: 0,
    capabilities: ['restart-pipeline', 'restart-media-host'],
  });
  const reporting = setInterval(() => {
    if (client.connected) void send('health', health);
  }, reportEveryMs);
  return {
    deviceId,
    commands,
    async close() {
      clearInterval(reporting);
      await client.endAsync(true);
      await system.api.request('DELETE', `/devices/${deviceId}`);
    },
  };
}
