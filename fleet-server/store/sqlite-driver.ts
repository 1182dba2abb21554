/**
 * SQLite for Kysely: one connection, used by one after the other.
 *
 * INVARIANTS
 * - Whoever has written waits for the disk after it has let the next one in: the wait of one is not the wait of all.
 * - A promise of a write that has resolved is on the disk (disk-flush.ts).
 * - Whoever reads sees nothing of a transaction that is open, unless it is its own.
 */
import {
  CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type { SqliteDatabase } from '#fleet-server/store/sqlite-database.ts';

export type SqliteDriverOptions = {
  readonly database: SqliteDatabase;
  /** Resolves when what has been committed is on the disk. */
  flushed(): Promise<void>;
  /** How long a statement took. */
  observe(ms: number): void;
};

/** Kysely's own lock, of which this one adapter would ask, is held during the wait for the disk: the driver has one of its own. */
export class OneConnectionAdapter extends SqliteAdapter {
  readonly driver: SqliteDriver;

  constructor(driver: SqliteDriver) {
    super();
    this.driver = driver;
  }

  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

export class SqliteDialect implements Dialect {
  readonly driver: SqliteDriver;

  constructor(options: SqliteDriverOptions) {
    this.driver = new SqliteDriver(options);
  }

  createDriver(): Driver {
    return this.driver;
  }

  createQueryCompiler(): SqliteQueryCompiler {
    return new SqliteQueryCompiler();
  }

  createAdapter(): SqliteAdapter {
    return new OneConnectionAdapter(this.driver);
  }

  createIntrospector(database: Kysely<unknown>): DatabaseIntrospector {
    return new SqliteIntrospector(database);
  }
}

const begin = CompiledQuery.raw('begin');
const commit = CompiledQuery.raw('commit');
const rollback = CompiledQuery.raw('rollback');

export class SqliteDriver implements Driver {
  readonly #options: SqliteDriverOptions;
  readonly #connection: SqliteConnection;
  readonly #waiting: (() => void)[] = [];
  #isTaken = false;
  /** It is taken only to keep writers out. */
  #isIdle = false;

  constructor(options: SqliteDriverOptions) {
    this.#options = options;
    this.#connection = new SqliteConnection(options);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<SqliteConnection> {
    if (this.#isTaken) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#isTaken = true;
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    const hasWritten = this.#connection.hasWritten;
    this.#connection.hasWritten = false;
    this.#letNextIn();
    if (hasWritten) await this.#options.flushed();
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(begin);
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(commit);
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(rollback);
    this.#connection.hasWritten = false;
  }

  async destroy(): Promise<void> {}

  /**
   * Runs a statement at once where nobody has to be waited for: in a transaction of the caller's, or reading while there is none, also during
   * a checkpoint. Undefined, and nothing done, where that is not so. On the way through Kysely's executors a statement makes a dozen promises.
   */
  executeNow<Row>(query: CompiledQuery, isInTransaction: boolean): QueryResult<Row> | undefined {
    const isHeldUp = this.#isTaken && !this.#isIdle;
    if (!isInTransaction && (isHeldUp || this.#options.database.prepare(query.sql).isWrite)) return undefined;
    return this.#connection.execute<Row>(query);
  }

  /** Nobody writes while this works. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    await this.acquireConnection();
    this.#isIdle = true;
    try {
      return await work();
    } finally {
      this.#isIdle = false;
      this.#letNextIn();
    }
  }

  #letNextIn(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#isTaken = false;
    else next();
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #options: SqliteDriverOptions;
  hasWritten = false;

  constructor(options: SqliteDriverOptions) {
    this.#options = options;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    return this.execute<Row>(query);
  }

  execute<Row>({ sql, parameters }: CompiledQuery): QueryResult<Row> {
    const beganMs = performance.now();
    const statement = this.#options.database.prepare(sql);
    if (statement.isWrite) this.hasWritten = true;
    if (statement.isReader) {
      const rows = statement.all(parameters) as Row[];
      this.#options.observe(performance.now() - beganMs);
      return { rows };
    }
    const { changes, lastInsertRowid } = statement.run(parameters);
    this.#options.observe(performance.now() - beganMs);
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  }

  async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    yield await this.executeQuery<Row>(query);
  }
}
