/** PostgreSQL in the shape that Kysely's dialect asks for: a pool of connections whose errors are those of our own table. */
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import { Pool, type PoolClient, types } from 'pg';
import { FleetError } from '#fleet-server/errors.ts';
import { postgresqlError } from '#fleet-server/store/store-errors.ts';
import { Turns } from '#fleet-server/store/turns.ts';

/** PostgreSQL's own default allows 100 in all: enough for nine fleet servers. */
const maxConnections = 10;
/**
 * The pool of `pg` counts the wait for a connection that is at work as time that connecting takes: a whole fleet that comes at once would be told
 * after a few seconds that the database is away. So waiting is done here.
 */
const turnMs = 30_000;
const connectMs = 5000;
const statementMs = 30_000;
const idleMs = 30_000;

/** Object ids of types, pg_type.dat: both come as text, because they can hold more than a JavaScript number. Ours never do. */
const int8 = 20;
const numeric = 1700;

export type PostgresqlConnections = {
  readonly pool: PostgresPool;
  /** Connections at work at this moment. */
  active(): number;
};

/** `url`: `postgresql://user:password@host:port/database`. Connects at the first use. */
export function openPostgresql(url: string, onLost: (cause: Error) => void): PostgresqlConnections {
  let pool: Pool;
  try {
    pool = new Pool({
      connectionString: url,
      max: maxConnections,
      connectionTimeoutMillis: connectMs,
      idleTimeoutMillis: idleMs,
      statement_timeout: statementMs,
      idle_in_transaction_session_timeout: statementMs,
      application_name: 'makespacelive fleet server',
      types: { getTypeParser: (id, format) => (id === int8 || id === numeric ? Number : types.getTypeParser(id, format)) },
    });
  } catch (cause) {
    // The address holds a password: it is not repeated.
    throw new FleetError('store-unavailable', 'FLEET_DATABASE_URL cannot be read as an address of a PostgreSQL database.', { cause });
  }
  const turns = new Turns(maxConnections, turnMs);
  // Of a connection that nobody uses at the moment: the next use opens another.
  pool.on('error', onLost);
  return {
    pool: { connect: () => connect(pool, turns), end: () => pool.end(), options: pool.options },
    active: () => pool.totalCount - pool.idleCount,
  };
}

async function connect(pool: Pool, turns: Turns): Promise<PostgresPoolClient> {
  try {
    await turns.take();
  } catch (cause) {
    throw postgresqlError(cause);
  }
  try {
    return guarded(await pool.connect(), turns);
  } catch (cause) {
    turns.give();
    // None is left that could be waited for.
    if (pool.totalCount === 0) turns.refuseAll(cause);
    throw postgresqlError(cause);
  }
}

/** Kysely can also ask with a cursor, which nobody here does. */
function guarded(client: PoolClient, turns: Turns): PostgresPoolClient {
  const query = async (text: string, values: readonly unknown[]) => {
    try {
      return await client.query(text, values.map(storable));
    } catch (cause) {
      throw postgresqlError(cause);
    }
  };
  // A connection that breaks while it is at work says so twice: the query fails, and this event, unheard, would end the process.
  const onError = () => undefined;
  client.on('error', onError);
  const release = (destroy?: boolean) => {
    client.off('error', onError);
    client.release(destroy);
    turns.give();
  };
  return { query: query as unknown as PostgresPoolClient['query'], release };
}

/** PostgreSQL's text cannot hold a zero byte, which a device may well send. */
function storable(value: unknown): unknown {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value;
}
