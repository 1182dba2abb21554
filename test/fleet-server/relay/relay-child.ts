/** A fleet server of which nothing but the relay is there: a process of its own, so that it can be killed. */
import Fastify from 'fastify';
import { relayPlugin } from '#fleet-server/relay/plugin.ts';
import { hmac, isKnown, isStreamKeyRight } from './relay-bench.ts';

const [dataDirectory = '', rtmpPort = ''] = process.argv.slice(2);
const app = Fastify();
await app.register(relayPlugin, {
  dataDirectory,
  rtmpPort: Number(rtmpPort),
  isKnown,
  isStreamKeyRight,
  hmac,
  isViewer: () => false,
  setReception: (deviceId, reception) => tell({ deviceId, reception }),
});
process.on('SIGTERM', () => void app.close());
await app.listen({ port: 0, host: '127.0.0.1' });
tell({ state: app.relay.state() });

function tell(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
