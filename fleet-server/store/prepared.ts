/**
 * A statement that is built once for each database and run again and again with other values: for what every message of a fleet asks,
 * building and compiling it costs several times what running it does.
 */
import type { Compilable, CompiledQuery, QueryResult } from 'kysely';
import { type Engine, engineOf } from '#fleet-server/store/engine.ts';
import type { Database } from '#fleet-server/store/schema.ts';

/** Stands in the compiled statement where a value will. */
class Place {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

type Values = Readonly<Record<string, unknown>>;

/**
 * `build` is called once for each kind of database, with places instead of values: it may put them into the statement, and look at none.
 * A value that is a list, or one that may be null where it is compared, needs a statement of its own each time.
 */
export function prepared<V extends Values>(...names: readonly (keyof V & string)[]) {
  const places = Object.fromEntries(names.map((name) => [name, new Place(name)])) as unknown as V;
  return <Row>(build: (database: Database, values: V) => Compilable<Row>) => {
    const made = new Map<Engine, CompiledQuery>();
    return (database: Database, values: V): Promise<QueryResult<Row>> => {
      const engine = engineOf(database);
      let compiled = made.get(engine);
      if (compiled === undefined) {
        compiled = build(database, places).compile() as CompiledQuery;
        made.set(engine, compiled);
      }
      const parameters = compiled.parameters.map((parameter) => (parameter instanceof Place ? values[parameter.name] : parameter));
      return database.executeQuery({ ...compiled, parameters } as CompiledQuery<Row>);
    };
  };
}
