/** What SQLite says when it cannot go on, as errors of the table. Result codes: https://sqlite.org/rescode.html */
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
export function storeError(cause: unknown): unknown {
  if (!(cause instanceof Error) || !('errcode' in cause) || typeof cause.errcode !== 'number') return cause;
  // The low byte is the primary code; the rest only refines it.
  switch (cause.errcode & 0xff) {
    case busy:
    case locked:
      return new FleetError('store-busy', 'Another process holds the store. Try again in a moment.', { cause });
    case full:
      return new FleetError('store-full', 'The disk of the fleet server is full: nothing can be stored until there is space.', { cause });
    case readOnly:
    case inputOutput:
    case cannotOpen:
      return new FleetError(
        'store-unavailable',
        'The store cannot be read or written: check the disk and the rights of the data directory.',
        {
          cause,
        },
      );
    case corrupt:
    case notADatabase:
      return new FleetError('store-damaged', 'The store is damaged: stop the fleet server and restore a backup.', { cause });
    default:
      return cause;
  }
}

/** A UNIQUE or PRIMARY KEY constraint: somebody was first. */
export function isAlreadyThere(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (error.errcode === 2067 || error.errcode === 1555);
}
