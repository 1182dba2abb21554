/**
 * A statement that is built once for each database and run again and again with other values: for what every message of a fleet asks,
 * building and compiling it costs several times what running it does.
 */
import type { Compilable, CompiledQuery, QueryResult } from 'kysely';
import { type Engine, engineOf } from '#fleet-server/store/engine.ts';
import type { Database } from '#fleet-server/store/schema.ts';
import { OneConnectionAdapter } from '#fleet-server/store/sqlite-driver.ts';

/** Stands in the compiled statement where a value will. */
class Place {
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }
}

type Values = Readonly<Record<string, unknown>>;
type Run<V, Row> = (database: Database, values: V) => Promise<QueryResult<Row>>;

/**
 * `build` is called once for each kind of database, with places instead of values: it may put them into the statement, and look at none.
 * A value that is a list, or one that may be null where it is compared, needs a statement of its own each time.
 */
export function prepared<V extends Values>(...names: readonly (keyof V & string)[]) {
  return <Row>(build: (database: Database, values: V) => Compilable<Row>): Run<V, Row> => {
    const run = preparedInOrder<Row>(names.length, (database, places) =>
      build(database, Object.fromEntries(names.map((name, index) => [name, places[index]])) as V),
    );
    return (database, values) =>
      run(
        database,
        names.map((name) => values[name]),
      );
  };
}

/** The same of values without names, for statements of hundreds. */
export function preparedInOrder<Row>(
  count: number,
  build: (database: Database, places: readonly unknown[]) => Compilable<Row>,
): Run<readonly unknown[], Row> {
  const places = Array.from({ length: count }, (_, index) => new Place(index));
  const made = new Map<Engine, CompiledQuery>();
  return async (database, values) => {
    const engine = engineOf(database);
    let compiled = made.get(engine);
    if (compiled === undefined) {
      compiled = build(database, places).compile() as CompiledQuery;
      made.set(engine, compiled);
    }
    const parameters = compiled.parameters.map((parameter) => (parameter instanceof Place ? values[parameter.index] : parameter));
    const query = { ...compiled, parameters } as CompiledQuery<Row>;
    const { adapter } = database.getExecutor();
    const now = adapter instanceof OneConnectionAdapter ? adapter.driver.executeNow<Row>(query, database.isTransaction) : undefined;
    return now ?? database.executeQuery(query);
  };
}

/** The rows of so many ids as there are, in no order: `perStatement` at once, which stays prepared. */
export function preparedForIds<Row>(perStatement: number, build: (database: Database, ids: readonly string[]) => Compilable<Row>) {
  const run = preparedInOrder<Row>(perStatement, (database, places) => build(database, places as readonly string[]));
  return async (database: Database, ids: readonly string[]): Promise<Row[]> => {
    const found: Row[] = [];
    for (let from = 0; from < ids.length; from += perStatement) found.push(...(await run(database, filled(ids, from, perStatement))).rows);
    return found;
  };
}

/** `count` of the values from there on; places that are left over have the last one once more. */
export function filled<T>(values: readonly T[], from: number, count: number): T[] {
  return Array.from({ length: count }, (_, index) => values[Math.min(from + index, values.length - 1)] as T);
}
