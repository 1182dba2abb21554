/**
 * What the history of health takes on the disk: a real SQLite file, filled with simulated days through the server's own code.
 * `node test/bench/health-history.ts [devices] [days]`
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { insertDevice } from '#fleet-server/devices/devices-store.ts';
import { HealthRollUp } from '#fleet-server/health/health-roll-up.ts';
import { chart, insertSamples } from '#fleet-server/health/health-store.ts';
import { planChart, resolutions } from '#fleet-server/health/resolution.ts';
import type { HealthSamplesTable } from '#fleet-server/store/schema.ts';
import { openStore, storePath } from '#fleet-server/store/store.ts';

const devices = Number(process.argv[2] ?? 10);
const days = Number(process.argv[3] ?? 3);
const sampleMs = 10_000;
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const startMs = Date.parse('2026-11-01T00:00:00Z');

/** Figures with as many digits as a Raspberry Pi reports. */
function sampleOf(deviceId: string, atMs: number): HealthSamplesTable {
  return {
    deviceId,
    atMs,
    framesPerSecond: Math.round(Math.random() * 300) / 10,
    videoBitrateKbps: 2400 + Math.round(Math.random() * 200),
    temperatureC: 50 + Math.round(Math.random() * 10_000) / 1000,
    loadAverage1m: Math.round(Math.random() * 200) / 100,
    memoryAvailableBytes: 400e6 + Math.round(Math.random() * 1e5) * 1024,
    audioRmsDbfs: -Math.round(Math.random() * 600) / 10,
    audioVideoDriftMs: Math.round(Math.random() * 40) - 20,
  };
}

const folder = await mkdtemp(join(tmpdir(), 'makespacelive-bench-'));
const path = storePath(folder);
const { database, close } = await openStore({ kind: 'sqlite', path });
let nowMs = startMs;
const rollUp = new HealthRollUp({
  database,
  clock: { nowMs: () => nowMs, monotonicMs: () => nowMs, after: () => () => {}, every: () => () => {} },
});
const ids = Array.from({ length: devices }, (_, index) => `d${String(index).padStart(15, '0')}`);
for (const id of ids) {
  await insertDevice(database, {
    id,
    name: id,
    groupName: null,
    joinedAtMs: startMs,
    credentialHash: '',
    boardId: null,
    otherBoardSeenMs: null,
    twiceSinceMs: null,
    twiceSeenMs: null,
    twiceDetail: '',
    waitingSinceMs: null,
    blockedSinceMs: null,
    nextCredentialHash: null,
    nextCredentialSealed: null,
    keyGeneration: 1,
    desiredRevision: 0,
    desiredDigest: '',
    appliedRevision: 0,
    appliedAtMs: null,
    outcomeRevision: 0,
    outcome: null,
    refusals: '[]',
    eventsUpTo: 0,
    tags: '',
    driftedSinceMs: null,
    driftedKeys: '',
    driftRepairs: 0,
    driftRepairAtMs: null,
  });
}
let slowestMs = 0;
for (; nowMs < startMs + days * dayMs; nowMs += minuteMs) {
  const samples = ids.flatMap((id, index) =>
    Array.from({ length: minuteMs / sampleMs }, (_, turn) => sampleOf(id, nowMs + turn * sampleMs + index)),
  );
  await insertSamples(database, samples);
  const begin = performance.now();
  await rollUp.run();
  slowestMs = Math.max(slowestMs, performance.now() - begin);
}

function print(label: string, value: string): void {
  process.stdout.write(`${label.padEnd(64)} ${value}\n`);
}
const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

const file = new DatabaseSync(path);
const rows = (table: string) => Number(file.prepare(`select count(*) as n from "${table}"`).get()?.['n']);
/** Pages of the table and of its indexes. */
const bytes = (table: string) =>
  Number(
    file
      .prepare('select sum(pgsize) as n from dbstat where name = ? or name in (select name from sqlite_schema where tbl_name = ?)')
      .get(table, table)?.['n'],
  );
let mostBytes = 0;
for (const [table, bucketMs, keptMs] of [
  ['healthSamples', sampleMs, resolutions.raw.keptMs + 2 * resolutions.hours.bucketMs],
  ['healthMinutes', resolutions.minutes.bucketMs, resolutions.minutes.keptMs],
  ['healthHours', resolutions.hours.bucketMs, resolutions.hours.keptMs],
] as const) {
  const perRow = bytes(table) / rows(table);
  mostBytes += (perRow * keptMs) / bucketMs;
  print(`${table}: a device and day`, `${kilobytes((perRow * dayMs) / bucketMs)} (${perRow.toFixed(0)} bytes a row)`);
  print('  a device, as long as they are kept', megabytes((perRow * keptMs) / bucketMs));
}
print('all three of a device: never more than', megabytes(mostBytes));
print(`the file after ${days} days of ${devices} devices`, megabytes((await stat(path)).size));
print('the slowest minute to roll up', `${slowestMs.toFixed(0)} ms`);
for (const [label, rangeMs, stepS] of [
  ['chart of an hour by 15 s', 60 * minuteMs, 15],
  ['chart of a day by six minutes', dayMs, 360],
  ['chart of all days by the hour', days * dayMs, 3600],
] as const) {
  const begin = performance.now();
  const points = await chart(database, ids[0] ?? '', planChart({ fromMs: nowMs - rangeMs, toMs: nowMs, stepS }, nowMs));
  print(label, `${(performance.now() - begin).toFixed(1)} ms, ${points.length} points`);
}
file.close();
await close();
await rm(folder, { recursive: true });
