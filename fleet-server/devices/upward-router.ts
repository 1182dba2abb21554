/** Who gets which message from a device, once the register has said that it is news. */
import type { FastifyInstance } from 'fastify';
import type { MessagePosition } from '#fleet-server/devices/device-positions-store.ts';
import { saveReport, saveSession } from '#fleet-server/devices/devices-store.ts';
import type { LiveDevice, UpwardMessage } from '#fleet-server/devices/live-device.ts';

/** Where messages of a device may be dealt with in another order than it sent them, by whichever server: the message's place in that order. */
function positionOf(app: FastifyInstance, { deviceId, envelope }: UpwardMessage): MessagePosition | null {
  if (!app.broker.isShared) return null;
  // Of the session that counts now, or an older one in the same era: then it is too old in any case.
  const era = app.devices.get(deviceId)?.session?.era ?? 0;
  return { era, counter: envelope.session.counter, sequence: envelope.sequence };
}

/** `as-stored`: no server but this one writes there. `overtaken`: another server has stored a newer one. */
type Storing = 'as-stored' | 'stored' | 'overtaken';

/** Resolves when what is new in it is in the store. */
async function storeReport(
  app: FastifyInstance,
  { id: deviceId, report, heardAtMs }: LiveDevice,
  position: MessagePosition | null,
): Promise<Storing> {
  const { devices, servers } = app;
  if (report === null) return 'overtaken';
  if (servers.isAlone && devices.isReportStored(deviceId, report.text)) {
    if (heardAtMs !== null) app.lastHeard.note(deviceId, heardAtMs);
    return 'as-stored';
  }
  const isNewest = await saveReport(app.store.database, { deviceId, heardAtMs, report: report.text }, position);
  // Another server may have heard a newer one, and said so before this one was stored: which is the newest, the store alone knows.
  if (position !== null) app.sharedDevices?.reload(deviceId);
  if (!isNewest) return 'overtaken';
  devices.noteReportStored(deviceId, report.text);
  servers.tell({ kind: 'device', deviceId });
  return 'stored';
}

/** Resolves, or is done at once, when everything that must last is stored: the broker acknowledges a message of QoS 1 after that. */
export function routeUpward(app: FastifyInstance, message: UpwardMessage): void | Promise<void> {
  const { broker, devices, sharedDevices } = app;
  // It may have joined at another server a moment ago, of which this one has not read yet.
  const isStranger = broker.isShared && !devices.isKnown(message.deviceId);
  if (!isStranger || sharedDevices === null) return routeHeard(app, message);
  return sharedDevices.lookFor(message.deviceId).then(() => routeHeard(app, message));
}

function routeHeard(app: FastifyInstance, message: UpwardMessage): void | Promise<void> {
  const verdict = app.devices.onMessage(message);
  if (verdict === 'stale') return undefined;
  // Most of what a fleet says, and nothing of it has to be waited for.
  if (message.name === 'health') return app.health.onHealth(message.deviceId, message.envelope.body);
  return routeFresh(app, message, verdict);
}

async function routeFresh(
  app: FastifyInstance,
  message: Exclude<UpwardMessage, { readonly name: 'health' }>,
  verdict: 'fresh' | 'session-went-back',
): Promise<void> {
  const { deviceId } = message;
  const { database } = app.store;
  if (verdict === 'session-went-back') {
    const detail =
      'It came back with an older session counter: its card was restored from a copy, copied to a second device, or could not be written to.';
    await app.history.append({ deviceId, origin: 'server', kind: 'session-went-back', detail });
  }
  const position = positionOf(app, message);
  switch (message.name) {
    case 'hello': {
      const { session, body } = message.envelope;
      const versions = JSON.stringify(body.versions);
      const { era: sessionEra = 0 } = app.devices.get(deviceId)?.session ?? {};
      const state = { deviceId, bootId: session.bootId, sessionEra, sessionCounter: session.counter, versions };
      if (!(await saveSession(database, state, position))) return;
      await app.settings.onHello(deviceId, body, position);
      await app.commands.onHello(deviceId);
      await app.copies.onHello(deviceId, session, body.board);
      return;
    }
    case 'report': {
      const { body } = message.envelope;
      // As the register has just learnt it.
      const live = app.devices.get(deviceId);
      const storing = live === undefined ? 'overtaken' : await storeReport(app, live, position);
      if (storing !== 'overtaken') await app.settings.onReport(deviceId, body, { position, isAsStored: storing === 'as-stored' });
      return;
    }
    case 'applied':
      return app.settings.onApplied(deviceId, message.envelope.body, position);
    case 'event':
      return app.history.onEvent(deviceId, message.envelope, message.envelope.body);
    case 'command-progress':
      return app.commands.onProgress(deviceId, message.envelope.body);
    case 'command-result':
      return app.commands.onResult(deviceId, message.envelope.body);
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
