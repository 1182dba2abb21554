import { execFile } from 'node:child_process';
import { mkdir, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { storePath } from '#fleet-server/store/store.ts';
import { noSmallDisk, type SmallDisk, smallDisk } from '../../device/recording/small-disk.ts';
import { temporaryDirectory } from '../../device/temporary-directory.ts';
import { until } from '../../until.ts';
import { endAllOf } from '../left-behind.ts';
import { environmentFor, type RunningServer, startServer } from '../running-server.ts';
import { createCluster } from '../store/postgresql-cluster.ts';
import { expectNothingLost } from './nothing-lost.ts';
import { missingIn, password, request, signIn } from './writes.ts';

function ageSessionsIn(path: string): void {
  const database = new DatabaseSync(path);
  const [, second, third] = database.prepare('select "tokenHash" from "sessions" order by "createdAtMs"').all();
  database
    .prepare('update "sessions" set "lastUsedAtMs" = "lastUsedAtMs" - 120000 where "tokenHash" = ?')
    .run(second?.['tokenHash'] ?? null);
  database.prepare('update "sessions" set "expiresAtMs" = 1 where "tokenHash" = ?').run(third?.['tokenHash'] ?? null);
  database.close();
}

/** test/long has fifty. */
const kills = 4;

test(`a server that is killed ${kills} times under writes has every write that it acknowledged`, { timeout: 90_000 }, () =>
  expectNothingLost(kills),
);

type Full = {
  readonly disk: SmallDisk;
  readonly server: RunningServer;
  /** Of three sessions, in the order in which they were begun: the second was last used two minutes ago, the third is over. */
  readonly ageSessions: () => Promise<void>;
};

/** Resolves with the ids of what was answered as done. */
async function expectFullDiskMended({ disk, server, ageSessions }: Full): Promise<string[]> {
  const { url } = await server.ready;
  const cookie = await signIn(url);
  const kept: string[] = [];
  const write = async () => {
    const answer = await request(url, cookie, 'POST', '/join-tokens', {});
    const body = (await answer.json()) as { id: string; code?: string; message?: string };
    if (answer.status === 201) kept.push(body.id);
    return { status: answer.status, ...body };
  };
  expect(await write()).toMatchObject({ status: 201 });
  // Their next use would be noted: one was last used long ago, one is over, and a program's token was never used.
  const [away, over] = [await signIn(url), await signIn(url)];
  const made = await request(url, cookie, 'POST', '/access-tokens', { name: 'reader', scopes: ['read'], expiresInS: 3600 });
  const { token } = (await made.json()) as { token: string };
  await ageSessions();
  const { bavail, bsize } = await statfs(disk.path);
  await disk.fill('filler', bavail * bsize);
  // What fits into the pages that the database has already may still be stored.
  const refused = await until('a refusal', 20_000, async () => {
    const answer = await write();
    return answer.status === 201 ? null : answer;
  });
  expect(refused).toMatchObject({ status: 507, code: 'store-full', message: expect.stringContaining('is full') });
  for (const path of ['/devices', '/session', '/fleet/settings', '/join-tokens']) {
    expect([path, (await request(url, cookie, 'GET', path)).status]).toEqual([path, 200]);
  }
  expect((await request(url, away, 'GET', '/devices')).status).toBe(200);
  expect((await request(url, over, 'GET', '/devices')).status).toBe(401);
  expect((await fetch(`${url}/api/v1/devices`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  await disk.remove('filler');
  expect(await write()).toMatchObject({ status: 201 });
  server.child.kill('SIGTERM');
  expect(await server.exit).toMatchObject({ code: 0 });
  return kept;
}

const onFullDisk = 'a full disk refuses what is to be written, answers what is read, and needs nobody once there is space';

test(`${onFullDisk}: SQLite's`, { timeout: 120_000 }, async (context) => {
  if (noSmallDisk !== null) return context.skip(noSmallDisk);
  const disk = await smallDisk(16);
  const path = storePath(disk.path);
  const server = startServer(await environmentFor(disk.path, { FLEET_ADMIN_PASSWORD: password, FLEET_LOG_LEVEL: 'warn' }));
  try {
    const kept = await expectFullDiskMended({ disk, server, ageSessions: async () => ageSessionsIn(path) });
    expect(missingIn(path, kept)).toEqual([]);
  } finally {
    server.child.kill('SIGKILL');
    await server.exit;
    await endAllOf(disk.path);
  }
});

test(`${onFullDisk}: PostgreSQL's`, { timeout: 120_000 }, async (context) => {
  if (noSmallDisk !== null) return context.skip(noSmallDisk);
  const directory = await temporaryDirectory();
  const disk = await smallDisk(32);
  const cluster = await createCluster();
  onTestFinished(() => cluster.remove());
  const address = await cluster.url('public');
  const ask = async (text: string) => {
    const client = new Client({ connectionString: address });
    await client.connect();
    try {
      return (await client.query(text)).rows as { id: string }[];
    } finally {
      await client.end();
    }
  };
  const space = join(disk.path, 'tables');
  await mkdir(space);
  await promisify(execFile)('chown', ['-R', 'postgres:', dirname(disk.path)]);
  await ask(`create tablespace small location '${space}'`);
  await ask('alter database postgres set default_tablespace = small');
  const changes = { FLEET_DATABASE_URL: address, FLEET_ADMIN_PASSWORD: password, FLEET_LOG_LEVEL: 'warn' };
  const server = startServer(await environmentFor(directory, changes));
  try {
    const ageSessions = async () => {
      const nth = (number: number) => `(select "tokenHash" from "sessions" order by "createdAtMs" offset ${number} limit 1)`;
      await ask(`update "sessions" set "lastUsedAtMs" = "lastUsedAtMs" - 120000 where "tokenHash" = ${nth(1)}`);
      await ask(`update "sessions" set "expiresAtMs" = 1 where "tokenHash" = ${nth(2)}`);
    };
    const kept = await expectFullDiskMended({ disk, server, ageSessions });
    const stored = new Set((await ask('select "id" from "joinTokens"')).map(({ id }) => id));
    expect(kept.filter((id) => !stored.has(id))).toEqual([]);
  } finally {
    server.child.kill('SIGKILL');
    await server.exit;
    await endAllOf(directory);
  }
});
