/**
 * SQLite itself, in memory: it outlives the fleet server, which may be ended between any two statements, and its disk may become full.
 * What was committed stays; what was not is rolled back, as a journal does when the file is opened again.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { Histogram } from '#fleet-server/metrics/histogram.ts';
import { migrate } from '#fleet-server/store/migrations.ts';
import type { Schema } from '#fleet-server/store/schema.ts';
import { keptStatements, type SqliteDatabase, type SqliteStatement } from '#fleet-server/store/sqlite-database.ts';
import { SqliteDialect } from '#fleet-server/store/sqlite-driver.ts';
import type { Store } from '#fleet-server/store/store.ts';
import { sqliteError } from '#fleet-server/store/store-errors.ts';

type Row = Record<string, SQLInputValue>;
type Template = { readonly statements: readonly string[]; readonly rows: readonly { readonly table: string; readonly rows: Row[] }[] };

/** A new store costs the migrations once a process, and a copy of what they made after that. */
let template: Template | null = null;

/** What is in memory is as good as on the disk. */
function dialectOf(database: SqliteDatabase): SqliteDialect {
  return new SqliteDialect({ database, flushed: async () => undefined, observe: () => undefined });
}

async function makeTemplate(): Promise<Template> {
  const sqlite = new DatabaseSync(':memory:');
  const database = new Kysely<Schema>({ dialect: dialectOf(keptStatements(sqlite)) });
  await migrate(database);
  const made = sqlite.prepare("select name, type, sql from sqlite_master where sql is not null and name not like 'sqlite_%'").all() as {
    name: string;
    type: string;
    sql: string;
  }[];
  const tables = made.filter(({ type }) => type === 'table').map(({ name }) => name);
  const rows = tables.map((table) => ({ table, rows: sqlite.prepare(`select * from "${table}"`).all() as Row[] }));
  await database.destroy();
  return { statements: made.toSorted((a, b) => (a.type < b.type ? 1 : -1)).map(({ sql }) => sql), rows };
}

export class SimulatedDatabase {
  readonly #sqlite: DatabaseSync;
  /** Prepared once for all lives of the server. */
  readonly #statements: SqliteDatabase;
  readonly #looks = new Map<string, StatementSync>();
  #isFull = false;

  /** The migrations, once a process. */
  static async prepare(): Promise<void> {
    template ??= await makeTemplate();
  }

  static async create(): Promise<SimulatedDatabase> {
    await SimulatedDatabase.prepare();
    if (template === null) throw new Error('expected the migrations to have run');
    const sqlite = new DatabaseSync(':memory:');
    sqlite.exec('pragma foreign_keys = on');
    for (const statement of template.statements) sqlite.exec(statement);
    for (const { table, rows } of template.rows) {
      for (const row of rows) {
        const columns = Object.keys(row);
        const insert = `insert into "${table}" (${columns.map((name) => `"${name}"`).join(',')}) values (${columns.map(() => '?').join(',')})`;
        sqlite.prepare(insert).run(...Object.values(row));
      }
    }
    return new SimulatedDatabase(sqlite);
  }

  constructor(sqlite: DatabaseSync) {
    this.#sqlite = sqlite;
    this.#statements = keptStatements(sqlite);
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** SQLite itself refuses what needs another page, as it does on a full disk. */
  setFull(isFull: boolean): void {
    this.#isFull = isFull;
    const pages = isFull ? this.#sqlite.prepare('pragma page_count').get()?.['page_count'] : 1_000_000;
    this.#sqlite.exec(`pragma max_page_count = ${pages}`);
  }

  /** As whoever looks at the file itself sees it. */
  rows(sql: string, ...parameters: SQLInputValue[]): Row[] {
    const statement = this.#looks.get(sql) ?? this.#sqlite.prepare(sql);
    this.#looks.set(sql, statement);
    return statement.all(...parameters) as Row[];
  }

  /** Everything that is stored, as text. */
  text(): string {
    const tables = this.rows("select name from sqlite_master where type = 'table'").map(({ name }) => String(name));
    return JSON.stringify(tables.map((table) => this.rows(`select * from "${table}"`)));
  }

  /** `step` is called before and after each statement of this life, and throws when it has ended. */
  open(step: () => void): Store {
    const database = new Kysely<Schema>({ dialect: dialectOf(this.#watched(step)) });
    return { database, latency: new Histogram(), waiting: () => 0, check: async () => undefined, close: async () => undefined };
  }

  /** Whoever held the store is gone. */
  rollBack(): void {
    if (this.#sqlite.isTransaction) this.#sqlite.exec('rollback');
  }

  close(): void {
    this.#sqlite.close();
  }

  #watched(step: () => void): SqliteDatabase {
    const kept = new Map<string, SqliteStatement>();
    const between = <T>(work: () => T): T => {
      step();
      const result = work();
      step();
      return result;
    };
    const prepare = (sql: string): SqliteStatement => {
      step();
      const known = kept.get(sql);
      if (known !== undefined) return known;
      const statement = this.#statements.prepare(sql);
      const made: SqliteStatement = {
        ...statement,
        all: (parameters) => between(() => statement.all(parameters)),
        run: (parameters) => between(() => statement.run(parameters)),
      };
      kept.set(sql, made);
      return made;
    };
    return { prepare, close: () => undefined };
  }
}

/** What a statement of a server that was killed says; as if the file could not be read any more. */
export function deadError(): unknown {
  return sqliteError(Object.assign(new Error('the fleet server was killed'), { errcode: 14 }));
}
