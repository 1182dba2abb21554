/** The fleet server's broker and nothing behind it: what a message costs there. A process of its own, which tells its parent its port. */
import { createServer } from 'node:http';
import { Broker } from '#fleet-server/broker/broker.ts';
import { systemClock } from '#fleet-server/clock.ts';

const nothing = () => undefined;
const broker = new Broker({
  port: 0,
  host: '127.0.0.1',
  server: createServer(),
  log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
  clock: systemClock,
  hooks: { authenticate: () => true, handleUpward: nothing, onPicture: nothing, onConnection: nothing },
});
await broker.start();
process.on('disconnect', () => process.exit());
process.send?.({ port: broker.port() });
