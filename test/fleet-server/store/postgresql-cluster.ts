/** A PostgreSQL of Debian's, made for one run of the tests: its own folder, its own user, a Unix socket and no port. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { until } from '../../until.ts';

const run = promisify(execFile);
const programs = '/usr/lib/postgresql';
const user = 'fleet';

export type PostgresqlCluster = {
  /** Of a database; `schema` is made when it is not there, and is where its tables are. */
  url(schema: string): Promise<string>;
  /** kill -9 of the whole server. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes all of it. */
  remove(): Promise<void>;
};

/** PostgreSQL refuses to run as root. */
async function unprivileged(): Promise<{ readonly uid: number; readonly gid: number } | null> {
  if (process.getuid?.() !== 0) return null;
  const fields = /^postgres:[^:]*:(\d+):(\d+):/m.exec(await readFile('/etc/passwd', 'utf8'));
  if (fields === null) throw new Error('expected a user "postgres" on this machine (Debian package postgresql), found none');
  return { uid: Number(fields[1]), gid: Number(fields[2]) };
}

export async function createCluster(): Promise<PostgresqlCluster> {
  const version = (await readdir(programs)).toSorted((a, b) => Number(b) - Number(a))[0];
  if (version === undefined) throw new Error(`expected PostgreSQL under ${programs} (Debian package postgresql), found nothing`);
  const program = (name: string) => join(programs, version, 'bin', name);
  const identity = await unprivileged();
  const folder = await mkdtemp(join(tmpdir(), 'msl-postgresql-'));
  if (identity !== null) await chown(folder, identity.uid, identity.gid);
  const data = join(folder, 'data');
  const options = { cwd: folder, env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C.UTF-8' }, ...identity };
  await run(program('initdb'), ['-D', data, '-U', user, '-A', 'trust', '-E', 'UTF8', '--no-sync'], options);
  let server: ChildProcess | null = null;
  const address = `postgresql://${user}@localhost/postgres?host=${encodeURIComponent(folder)}`;
  const ask = async (sql: string): Promise<void> => {
    const client = new Client({ connectionString: address });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query(sql);
    } finally {
      await client.end();
    }
  };
  const start = async (): Promise<void> => {
    const settings = ['listen_addresses=', 'fsync=off', 'max_connections=200', `unix_socket_directories=${folder}`];
    server = spawn(program('postgres'), ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], { ...options, stdio: 'ignore' });
    await until('PostgreSQL answers', 30_000, () =>
      ask('select 1').then(
        () => true,
        () => false,
      ),
    );
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const living = server;
    server = null;
    if (living === null || living.exitCode !== null) return;
    living.kill(signal);
    await once(living, 'exit');
  };
  await start();
  return {
    start,
    // SIGQUIT is PostgreSQL's own "immediate": all its processes end at once, and the next start recovers as after a crash.
    kill: () => end('SIGQUIT'),
    url: async (schema) => {
      await ask(`create schema if not exists "${schema}"`);
      return `${address}&options=${encodeURIComponent(`-c search_path=${schema}`)}`;
    },
    remove: async () => {
      await end('SIGQUIT');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
