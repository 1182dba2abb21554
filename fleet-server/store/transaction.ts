/**
 * A transaction that reads what it then changes, as if it were alone.
 *
 * INVARIANTS
 * - SQLite lets one writer in at a time (sqlite-database.ts). PostgreSQL lets many in and ends those that disturbed each
 *   other (isolation level serializable); they are run again here, so `work` must change nothing but the store.
 * - On SQLite whatever waits is committed together: a whole fleet that says hello at once shares a few waits for the disk. Who is answered
 *   is on the disk; who fails takes nobody along: then all is taken back and run again, each behind a savepoint of its own.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { CompiledQuery } from 'kysely';
import { FleetError } from '#fleet-server/errors.ts';
import { engineOf } from '#fleet-server/store/engine.ts';
import type { Database } from '#fleet-server/store/schema.ts';

/** With the waits below, about two seconds: then somebody waits for an answer in vain. */
const maxAttempts = 12;
const longestPauseMs = 250;
/** So many share a commit: the last of them waits for the work of all. */
const maxTogether = 200;

/** Of each PostgreSQL database, how many transactions were disturbed and wait to be run again. */
const disturbed = new WeakMap<Database, number>();

export function waitingToRunAgain(database: Database): number {
  return disturbed.get(database) ?? 0;
}

export async function inTransaction<T>(database: Database, work: (transaction: Database) => Promise<T>): Promise<T> {
  if (engineOf(database) === 'sqlite') return together(database, work);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await database.transaction().setIsolationLevel('serializable').execute(work);
    } catch (error) {
      if (!(error instanceof FleetError) || error.code !== 'store-busy' || attempt === maxAttempts) throw error;
      disturbed.set(database, waitingToRunAgain(database) + 1);
      // Random, so that two that disturbed each other do not do it again in step.
      await pause(Math.random() * Math.min(longestPauseMs, 5 * 2 ** attempt));
      disturbed.set(database, waitingToRunAgain(database) - 1);
    }
  }
}

const savepoint = CompiledQuery.raw('savepoint one');
const rollbackTo = CompiledQuery.raw('rollback to one');
const release = CompiledQuery.raw('release one');

type Settle = () => void;
type Waiting = { run(transaction: Database): Promise<Settle>; fail(cause: unknown): void };
type Group = {
  waiting: Waiting[];
  isRunning: boolean;
  /** Several shared the last commit. */
  isCrowded: boolean;
  readonly gatherMs: number;
};

const groups = new WeakMap<Database, Group>();

/**
 * From now on a commit that follows one which several have shared waits `gatherMs` for more to come: what a fleet says the whole day comes
 * one by one, and a commit costs more than what is in it. Who comes alone waits for nobody.
 */
export function gatherCommits(database: Database, gatherMs: number): void {
  groups.set(database, { waiting: [], isRunning: false, isCrowded: false, gatherMs });
}

function together<T>(database: Database, work: (transaction: Database) => Promise<T>): Promise<T> {
  const group = groups.get(database) ?? { waiting: [], isRunning: false, isCrowded: false, gatherMs: 0 };
  groups.set(database, group);
  return new Promise<T>((resolve, reject) => {
    const run = async (transaction: Database): Promise<Settle> => {
      const result = await work(transaction);
      return () => resolve(result);
    };
    group.waiting.push({ run, fail: reject });
    if (!group.isRunning) void commitAll(database, group);
  });
}

async function commitAll(database: Database, group: Group): Promise<void> {
  group.isRunning = true;
  while (group.waiting.length > 0) {
    if (group.gatherMs > 0 && group.isCrowded && group.waiting.length < maxTogether) await pause(group.gatherMs);
    const batch = group.waiting.splice(0, maxTogether);
    group.isCrowded = batch.length > 1;
    try {
      const settled =
        (await commitAtOnce(database, batch)) ?? (await database.transaction().execute((transaction) => runEach(transaction, batch)));
      for (const settle of settled) settle();
    } catch (cause) {
      // Nothing of it is stored, or nobody knows whether it is on the disk. Those that were already told why stay told.
      for (const { fail } of batch) fail(cause);
    }
  }
  group.isRunning = false;
}

/** Null: one of several has failed, and nothing is stored. What fails later than the work, at the commit, rejects: it must not be run again. */
async function commitAtOnce(database: Database, batch: readonly Waiting[]): Promise<Settle[] | null> {
  let hasFailed = false;
  try {
    return await database.transaction().execute(async (transaction) => {
      const settled: Settle[] = [];
      try {
        for (const { run } of batch) settled.push(await run(transaction));
      } catch (cause) {
        hasFailed = true;
        throw cause;
      }
      return settled;
    });
  } catch (cause) {
    if (hasFailed && batch.length > 1) return null;
    throw cause;
  }
}

async function runEach(transaction: Database, batch: readonly Waiting[]): Promise<Settle[]> {
  const settled: Settle[] = [];
  for (const { run, fail } of batch) {
    await transaction.executeQuery(savepoint);
    try {
      settled.push(await run(transaction));
    } catch (cause) {
      // On a full disk SQLite has rolled back everything by itself, savepoints too: then all of them fail for that reason.
      await transaction.executeQuery(rollbackTo).catch(() => {
        throw cause;
      });
      settled.push(() => fail(cause));
    }
    await transaction.executeQuery(release);
  }
  return settled;
}
