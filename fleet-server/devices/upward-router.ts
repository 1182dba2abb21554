/** Who gets which message from a device, once the register has said that it is news. */
import type { FastifyInstance } from 'fastify';
import { saveReport, saveSession } from '#fleet-server/devices/devices-store.ts';
import type { UpwardMessage } from '#fleet-server/devices/live-device.ts';

/** Resolves when everything that must last is stored: the broker acknowledges a message of QoS 1 after that. */
export async function routeUpward(app: FastifyInstance, message: UpwardMessage): Promise<void> {
  const { deviceId } = message;
  const { database } = app.store;
  const verdict = app.devices.onMessage(message);
  if (verdict === 'stale') return;
  if (verdict === 'session-went-back') {
    const detail =
      'It came back with an older session counter: its card was restored from a copy, copied to a second device, or could not be written to.';
    await app.history.append({ deviceId, origin: 'server', kind: 'session-went-back', detail });
  }
  switch (message.name) {
    case 'hello': {
      const { session, body } = message.envelope;
      const versions = JSON.stringify(body.versions);
      await saveSession(database, { deviceId, bootId: session.bootId, sessionCounter: session.counter, versions });
      await app.settings.onHello(deviceId, body);
      await app.commands.onHello(deviceId);
      await app.copies.onHello(deviceId, session, body.board);
      return;
    }
    case 'report': {
      const { body } = message.envelope;
      const heardAtMs = app.devices.get(deviceId)?.heardAtMs ?? null;
      await saveReport(database, { deviceId, heardAtMs, report: JSON.stringify(body) });
      app.servers.tell({ kind: 'device', deviceId });
      await app.settings.onReport(deviceId, body);
      return;
    }
    case 'applied':
      return app.settings.onApplied(deviceId, message.envelope.body);
    case 'event':
      return app.history.onEvent(deviceId, message.envelope.session, message.envelope.body);
    case 'command-result':
      return app.commands.onResult(deviceId, message.envelope.body);
    case 'health':
      return app.health.onHealth(deviceId, message.envelope.body);
    case 'health-backlog':
      return app.health.onBacklog(deviceId, message.envelope.body);
    case 'log':
      return app.logs.onLines(deviceId, message.envelope.body.lines);
    case 'presence':
      return;
    default:
      return message satisfies never;
  }
}
