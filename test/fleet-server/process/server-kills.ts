/** The server is killed (SIGKILL) at random moments under writes, again and again on one data directory. */
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { storePath } from '#fleet-server/store/store.ts';
import { putFleet } from '../../bench/fleet/fleet-in-store.ts';
import { SimulatedDevice } from '../../bench/fleet/simulated-device.ts';
import { until } from '../../until.ts';
import { endAllOf } from '../left-behind.ts';
import { environmentFor, startServer } from '../running-server.ts';
import { Deeds, type Server } from './deeds.ts';
import { missingIn, password, signIn, Writer } from './writes.ts';

export type KillFigures = {
  readonly acknowledged: number;
  /** What was acknowledged and is not there, in words; events that are there twice, too. */
  readonly missing: readonly string[];
  readonly startsMs: readonly number[];
};

/** Of the moment after the first writes of a round. */
const latestKillMs = 400;
const pace = { eventEveryMs: 50, reconnectMs: { shortest: 20, longest: 100 } };
const settleMs = 60_000;

export async function killUnderWrites(directory: string, kills: number): Promise<KillFigures> {
  const environment = await environmentFor(directory, {
    FLEET_ADMIN_PASSWORD: password,
    FLEET_LOG_LEVEL: 'silent',
    FLEET_WRITES_PER_MINUTE: '100000',
  });
  const path = storePath(directory);
  const fleet = await putFleet(directory, 2);
  const [settled, commanded] = fleet.map(({ deviceId }) => deviceId) as [string, string];
  const devices = fleet.map((one) => new SimulatedDevice(one, Number(environment['FLEET_MQTT_PORT']), () => undefined, pace));
  const deeds = new Deeds({ settled, commanded });
  const writers = [new Writer(), new Writer()];
  const missing: string[] = [];
  const startsMs: number[] = [];
  let server: Server = { url: '', cookie: '' };
  const start = async () => {
    const begin = performance.now();
    const running = startServer(environment);
    const { url } = await running.ready;
    startsMs.push(performance.now() - begin);
    server = { url, cookie: server.cookie === '' ? await signIn(url) : server.cookie };
    missing.push(...(await deeds.lost(server)));
    return running;
  };
  const acknowledged = () => [...writers.map((writer) => writer.acknowledged.length), ...deeds.all.map((deed) => deed.acknowledged)];
  // Commands wait for the device.
  const steady = () => acknowledged().filter((_, index) => deeds.all[index - writers.length] !== deeds.commands);
  try {
    for (const device of devices) device.start();
    for (let kill = 0; kill < kills; kill += 1) {
      const running = await start();
      const before = steady();
      for (const writer of writers) writer.start(server.url, server.cookie);
      for (const deed of deeds.all) deed.start(server);
      await until('writes of this round', 20_000, () => steady().every((count, index) => count > (before[index] ?? 0)));
      // The very subject of the test: a moment that nobody chose.
      await pause(Math.random() * latestKillMs);
      running.child.kill('SIGKILL');
      await running.exit;
      for (const writer of [...writers, ...deeds.all]) await writer.stop();
      missing.push(...writers.flatMap((writer) => missingIn(path, writer.kept())));
    }
    const last = await start();
    await until('what was set to be applied', settleMs, () => deeds.isApplied(server));
    await until('commands done', settleMs, () => deeds.undone(path).length === 0).catch(() => missing.push(...deeds.undone(path)));
    for (const device of devices) device.beQuiet();
    await until('events acknowledged', settleMs, () => devices.every(({ unstored }) => unstored === 0));
    for (const device of devices) device.stop();
    last.child.kill('SIGTERM');
    await last.exit;
    for (const [index, { deviceId }] of fleet.entries()) missing.push(...eventFaults(path, deviceId, devices[index]?.eventsSaid ?? 0));
  } finally {
    for (const device of devices) device.stop();
    await endAllOf(directory);
  }
  const events = devices.reduce((sum, { eventsSaid }) => sum + eventsSaid, 0);
  return { acknowledged: acknowledged().reduce((sum, count) => sum + count, events), missing, startsMs };
}

/** All that a device said were acknowledged, so each is to be there once. */
function eventFaults(path: string, deviceId: string, said: number): readonly string[] {
  const database = new DatabaseSync(path, { readOnly: true });
  const rows = database
    .prepare('select "deviceNumber" as "number" from "history" where "deviceId" = ? and "kind" = ?')
    .all(deviceId, 'bench-event');
  database.close();
  const counts = new Map<number, number>();
  for (const { number } of rows) counts.set(Number(number), (counts.get(Number(number)) ?? 0) + 1);
  return Array.from({ length: said }, (_, index) => index + 1)
    .filter((number) => counts.get(number) !== 1)
    .map((number) => `event ${number} of ${deviceId}: expected once, got ${counts.get(number) ?? 0} times`);
}
