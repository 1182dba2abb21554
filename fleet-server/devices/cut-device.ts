/** What a device holds open at this server is cut: its connection, and its stream. Whether it comes back is decided where it knocks. */
import type { FastifyInstance } from 'fastify';

export function cutDevice(app: FastifyInstance, deviceId: string): void {
  app.broker.disconnect(deviceId);
  app.relay.dropPublisher(deviceId).catch((err: unknown) => {
    // What the relay goes on receiving of it is seen within a second, and dropped then (app.ts).
    app.log.warn({ err, deviceId }, 'the publisher of a device that is shut out was not dropped at once');
  });
}
