/**
 * What the databases say when they cannot go on, as errors of the table. SQLite's result codes: https://sqlite.org/rescode.html;
 * PostgreSQL's: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
import { FleetError } from '#fleet-server/errors.ts';

const busy = 5;
const locked = 6;
const readOnly = 8;
const inputOutput = 10;
const corrupt = 11;
const full = 13;
const cannotOpen = 14;
const notADatabase = 26;

/** Anything else, such as a broken constraint, is passed on as it is: it is the caller's, or a bug. */
export function sqliteError(cause: unknown): unknown {
  if (!(cause instanceof Error) || !('errcode' in cause) || typeof cause.errcode !== 'number') return cause;
  // The low byte is the primary code; the rest only refines it.
  switch (cause.errcode & 0xff) {
    case busy:
    case locked:
      return new FleetError('store-busy', 'Another process holds the store. Try again in a moment.', { cause });
    case full:
      return storeFull(cause);
    case readOnly:
    case inputOutput:
    case cannotOpen:
      return new FleetError(
        'store-unavailable',
        'The store cannot be read or written: check the disk and the rights of the data directory.',
        { cause },
      );
    case corrupt:
    case notADatabase:
      return storeDamaged(cause);
    default:
      return cause;
  }
}

/** What the system says when the disk did not take what was written: fsync(2). */
export function flushError(cause: unknown): unknown {
  if (!(cause instanceof Error) || !('code' in cause)) return cause;
  if (cause.code === 'ENOSPC' || cause.code === 'EDQUOT') return storeFull(cause);
  return new FleetError('store-unavailable', 'What was written did not reach the disk: check the disk of the data directory.', { cause });
}

/** Serialization failure, deadlock, lock not available. */
const disturbed = ['40001', '40P01', '55P03'];
/** By class: connection, insufficient resources, operator intervention, system; by code: password, database, right, read-only. */
const unavailable = /^(?:08|53|57P|58|28|3D000|42501|25006)/;

/** As `sqliteError`. An error without a code of PostgreSQL's is one of the way to it. */
export function postgresqlError(cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  if (disturbed.includes(code)) return new FleetError('store-busy', 'Others changed the same at this moment. Try again.', { cause });
  if (code === '53100') return storeFull(cause);
  if (/^XX00[12]$/.test(code)) return storeDamaged(cause);
  const isFromServer = /^[0-9A-Z]{5}$/.test(code);
  if (isFromServer && !unavailable.test(code)) return cause;
  return new FleetError(
    'store-unavailable',
    `The database at FLEET_DATABASE_URL cannot be used: check that it runs and lets this server in (${isFromServer ? `${cause.message}, ${code}` : code || cause.message}).`,
    { cause },
  );
}

function storeFull(cause: Error): FleetError {
  return new FleetError('store-full', 'The disk of the fleet server is full: nothing can be stored until there is space.', { cause });
}

/**
 * For what is noted beside a read: a full disk must not refuse what can be read. What was not noted is noted by the next read that finds room;
 * whoever writes is told (507).
 */
export async function unlessFull(noting: Promise<void>): Promise<void> {
  try {
    await noting;
  } catch (err) {
    if (!(err instanceof FleetError && err.code === 'store-full')) throw err;
  }
}

function storeDamaged(cause: Error): FleetError {
  return new FleetError('store-damaged', 'The store is damaged: stop the fleet server and restore a backup.', { cause });
}

/** 2067 and 1555 are SQLite's, 23505 is PostgreSQL's. */
const alreadyThere: readonly unknown[] = [2067, 1555, '23505'];

/** A UNIQUE or PRIMARY KEY constraint: somebody was first. */
export function isAlreadyThere(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('errcode' in error && alreadyThere.includes(error.errcode)) || ('code' in error && alreadyThere.includes(error.code));
}
