/**
 * What a message costs in the fleet server's own broker, decoded and checked, and in Debian's mosquitto, which hands it to one reader: CPU
 * time under the same load of the same devices.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connectAsync } from 'mqtt';
import { generate } from 'mqtt-packet';
import { encodeUpward } from '#protocol/envelope.ts';
import { topicFor, topicOfAllDevices } from '#protocol/topics.ts';
import { startMosquitto } from '../../fleet-server/broker/external/mosquitto.ts';
import { until } from '../../until.ts';
import { cpuSeconds } from '../process-figures.ts';
import { health } from './simulated-device.ts';

const clients = 500;
/** Of each: less than the broker lets a device send. */
const everyMs = 250;
const settleMs = 2000;
const measuredMs = 8000;

export type BrokerCosts = { readonly ownMicroseconds: number; readonly mosquittoMicroseconds: number };

/** CPU time a message. */
export async function measureBesideMosquitto(): Promise<BrokerCosts> {
  const own = fork(join(import.meta.dirname, 'broker-alone.ts'), { execArgv: [] });
  const [{ port }] = (await once(own, 'message')) as [{ port: number }];
  const ownMicroseconds = await costs(port, own.pid ?? 0);
  own.disconnect();
  await once(own, 'exit');
  const mosquitto = await startMosquitto({ isOpen: true });
  const reader = await connectAsync(`mqtt://127.0.0.1:${mosquitto.port}`, { clientId: 'the-fleet-server', reconnectPeriod: 0 });
  await reader.subscribeAsync(topicOfAllDevices('health'), { qos: 1 });
  const mosquittoMicroseconds = await costs(mosquitto.port, mosquitto.pid());
  await reader.endAsync(true);
  await mosquitto.remove();
  return { ownMicroseconds, mosquittoMicroseconds };
}

async function costs(port: number, pid: number): Promise<number> {
  let acknowledged = 0;
  const sockets = Array.from({ length: clients }, (_, index) => device(port, `d-bench${index}`, () => (acknowledged += 1)));
  await until('messages of all', 20_000, () => acknowledged > clients * 2);
  await delay(settleMs);
  const before = { cpuS: cpuSeconds(pid), acknowledged };
  await delay(measuredMs);
  const cost = ((cpuSeconds(pid) - before.cpuS) / (acknowledged - before.acknowledged)) * 1e6;
  for (const socket of sockets) socket.destroy();
  return cost;
}

/** Says its health with QoS 1 at a steady pace; every answer but the first (that it is let in) is an acknowledgement of four bytes. */
function device(port: number, deviceId: string, onAcknowledged: () => void): Socket {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const account = { clientId: deviceId, username: deviceId, password: Buffer.from('a credential') };
  socket.write(generate({ cmd: 'connect', protocolVersion: 4, clean: true, keepalive: 10, ...account }));
  socket.on('error', () => undefined);
  let sequence = 0;
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;
  const say = () => {
    sequence += 1;
    const session = { bootId: 'bench', counter: 1 };
    const payload = encodeUpward('health', { session, sequence, sentAt: new Date().toISOString(), body: health() });
    const messageId = (sequence % 65_535) + 1;
    socket.write(generate({ cmd: 'publish', topic: topicFor(deviceId, 'health'), payload, qos: 1, retain: false, dup: false, messageId }));
  };
  socket.on('data', (chunk) => {
    bytes += chunk.length;
    if (timer === undefined) {
      bytes -= 4;
      timer = setTimeout(() => {
        say();
        timer = setInterval(say, everyMs);
      }, Math.random() * everyMs);
    }
    for (; bytes >= 4; bytes -= 4) onAcknowledged();
  });
  socket.on('close', () => clearInterval(timer));
  return socket;
}
