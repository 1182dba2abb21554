import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseConfiguration } from '#fleet-server/configuration.ts';
import { backUp } from '#fleet-server/process/backup.ts';
import type { BackupManifest } from '#fleet-server/process/backup-manifest.ts';
import { restore } from '#fleet-server/process/restore.ts';
import { migrations } from '#fleet-server/store/migrations.ts';
import { storePath } from '#fleet-server/store/store.ts';
import { until } from '../../until.ts';
import { endAllOf } from '../left-behind.ts';
import { environmentFor, type RunningServer, startServer } from '../running-server.ts';
import { missingIn, password, request, signIn, Writer } from './writes.ts';

let folder: string;
let data: string;
let backup: string;
let environment: NodeJS.ProcessEnv;
let servers: RunningServer[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'msl-backup-'));
  data = join(folder, 'data');
  backup = join(folder, 'backup');
  await mkdir(data);
  environment = await environmentFor(data, { FLEET_ADMIN_PASSWORD: password, FLEET_LOG_LEVEL: 'silent' });
  servers = [];
});
afterEach(async () => {
  for (const { child, exit } of servers) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await exit;
  }
  await endAllOf(folder);
  await rm(folder, { recursive: true, force: true });
});

async function start(changes: Record<string, string> = {}): Promise<RunningServer> {
  const server = startServer({ ...environment, ...changes });
  servers.push(server);
  await server.ready;
  return server;
}

async function stop(server: RunningServer): Promise<void> {
  server.child.kill('SIGTERM');
  await server.exit;
}

async function command(argumentList: readonly string[], changes: Record<string, string> = {}) {
  const run = startServer({ ...environment, ...changes }, argumentList);
  return { ...(await run.exit), output: run.output() };
}

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe('backup and restore', { timeout: 120_000 }, () => {
  test('a backup that is made under writes holds everything that was acknowledged before, and a server starts on it', async () => {
    const server = await start();
    const { url } = await server.ready;
    const cookie = await signIn(url);
    const writers = [new Writer(), new Writer()];
    for (const writer of writers) writer.start(url, cookie);
    await until('writes', 20_000, () => writers.every(({ acknowledged }) => acknowledged.length > 5));
    const before = writers.flatMap(({ acknowledged }) => [...acknowledged]);
    const made = await command(['backup', backup]);
    const after = writers.flatMap(({ acknowledged }) => acknowledged).length;
    for (const writer of writers) await writer.stop();
    expect(made).toMatchObject({ code: 0 });
    expect(made.output).toContain('Only you may read it (0600)');
    // It was made while the server worked.
    expect(after).toBeGreaterThan(before.length);

    expect(await modeOf(backup)).toBe('700');
    expect((await readdir(backup)).toSorted()).toEqual(['fleet.sqlite', 'manifest.json', 'secret.key']);
    for (const name of await readdir(backup)) expect(await modeOf(join(backup, name))).toBe('600');
    const manifest = JSON.parse(await readFile(join(backup, 'manifest.json'), 'utf8')) as BackupManifest;
    expect(manifest).toMatchObject({ format: 1, engine: 'sqlite', schemaVersion: migrations.length });
    expect(missingIn(join(backup, 'fleet.sqlite'), before)).toEqual([]);

    const elsewhere = join(folder, 'elsewhere');
    const restored = await command(['restore', backup], { FLEET_DATA_DIR: elsewhere });
    expect(restored).toMatchObject({ code: 0, output: expect.stringContaining('start the fleet server') });
    expect(await modeOf(join(elsewhere, 'secret.key'))).toBe('600');
    await stop(server);
    const second = await start({ FLEET_DATA_DIR: elsewhere });
    // The session of before holds as well: it is the same server, with the same key.
    const list = await request((await second.ready).url, cookie, 'GET', '/join-tokens');
    const ids = ((await list.json()) as { joinTokens: { id: string }[] }).joinTokens.map(({ id }) => id);
    expect(before.filter((id) => !ids.includes(id))).toEqual([]);
  });

  test('what is in use is not overwritten; with --force it is set aside, and never under a server that runs', async () => {
    const server = await start();
    const { url } = await server.ready;
    const cookie = await signIn(url);
    expect(await command(['backup', backup])).toMatchObject({ code: 0 });
    expect(await command(['backup', backup])).toMatchObject({ code: 64, output: expect.stringContaining('not there yet') });
    const { id } = (await (await request(url, cookie, 'POST', '/join-tokens', {})).json()) as { id: string };
    expect(await command(['restore', backup])).toMatchObject({ code: 64, output: expect.stringContaining('give --force') });
    expect(await command(['restore', backup, '--force'])).toMatchObject({ code: 64, output: expect.stringContaining('stop it first') });
    await stop(server);
    expect(await command(['restore', backup, '--force'])).toMatchObject({
      code: 0,
      output: expect.stringContaining('What was there before'),
    });
    expect(missingIn(storePath(data), [id])).toEqual([id]);
    const aside = (await readdir(data)).find((name) => name.startsWith('before-restore-')) ?? '';
    expect(missingIn(join(data, aside, 'fleet.sqlite'), [id])).toEqual([]);
    await start();
  });

  test('a backup that is not whole or not ours is refused, with what was expected, and nothing is written', async () => {
    await stop(await start());
    expect(await command(['backup', backup])).toMatchObject({ code: 0 });
    const target = { FLEET_DATA_DIR: join(folder, 'elsewhere') };
    const variants: readonly [string, (directory: string) => Promise<unknown>, string][] = [
      ['no-manifest', (directory) => rm(join(directory, 'manifest.json')), 'its manifest.json cannot be read'],
      ['no-key', (directory) => rm(join(directory, 'secret.key')), 'Expected the file secret.key'],
      ['changed', (directory) => appendFile(join(directory, 'fleet.sqlite'), 'x'), 'as it was written, got another one'],
      ['other', (directory) => writeFile(join(directory, 'manifest.json'), '{"kind":"makespacelive-backup","format":2}'), 'format 1'],
    ];
    for (const [name, spoil, expected] of variants) {
      const spoilt = join(folder, name);
      await cp(backup, spoilt, { recursive: true });
      await spoil(spoilt);
      expect(await command(['restore', spoilt], target)).toMatchObject({ code: 74, output: expect.stringContaining(expected) });
    }
    await expect(stat(target.FLEET_DATA_DIR)).rejects.toThrow('ENOENT');
  });

  test('a store or a backup of a newer version is refused in one clear line', async () => {
    await stop(await start());
    const database = new DatabaseSync(storePath(data));
    database.exec('update "schemaVersion" set "version" = 99');
    database.close();
    const refused = startServer(environment);
    expect(await refused.exit).toMatchObject({ code: 74 });
    expect(refused.output()).toMatch(
      /^The fleet server cannot start: Expected a store of schema version \d+ or older, got version 99.*\n$/,
    );
    expect(await command(['backup', backup])).toMatchObject({ code: 0 });
    const restored = await command(['restore', backup], { FLEET_DATA_DIR: join(folder, 'elsewhere') });
    expect(restored).toMatchObject({ code: 74, output: expect.stringContaining('a newer fleet server has made it') });
  });

  test('of a server on PostgreSQL the key alone is kept, and it says how to keep the database', async () => {
    await stop(await start());
    const onPostgresql = { FLEET_DATABASE_URL: 'postgresql://fleet:geheim@127.0.0.1:1/fleet' };
    const made = await command(['backup', backup], onPostgresql);
    expect(made).toMatchObject({ code: 0, output: expect.stringContaining('pg_dump') });
    expect(made.output).not.toContain('geheim');
    expect((await readdir(backup)).toSorted()).toEqual(['manifest.json', 'secret.key']);
    const target = { FLEET_DATA_DIR: join(folder, 'elsewhere') };
    expect(await command(['restore', backup], target)).toMatchObject({
      code: 64,
      output: expect.stringContaining('FLEET_DATABASE_URL is not set'),
    });
    expect(await command(['restore', backup], { ...target, ...onPostgresql })).toMatchObject({
      code: 0,
      output: expect.stringContaining('pg_restore'),
    });
  });
});

const parsed = parseConfiguration({ FLEET_DATA_DIR: '/nowhere' });

test.each([
  [backUp, []],
  [backUp, ['--help']],
  [backUp, ['/']],
  [restore, []],
  [restore, ['a', 'b']],
  [restore, ['--forse', 'a']],
])('wrong arguments are answered with the usage: %o', async (subcommand, argumentList) => {
  if (parsed.kind !== 'configuration') throw new Error('expected a configuration');
  await expect(subcommand(parsed.configuration, argumentList)).rejects.toThrow('Usage: ');
});
