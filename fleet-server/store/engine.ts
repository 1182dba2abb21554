/** The two databases that the store may stand on, where they differ. Everything else is written once, with Kysely. */
import { SqliteAdapter } from 'kysely';
import type { Database } from '#fleet-server/store/schema.ts';

/** `sqlite`: one file, one writer at a time. `postgresql`: shared by any number of fleet servers. */
export type Engine = 'sqlite' | 'postgresql';

export function engineOf(database: Database): Engine {
  return database.getExecutor().adapter instanceof SqliteAdapter ? 'sqlite' : 'postgresql';
}
