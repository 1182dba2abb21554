import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { expect, test } from 'vitest';
import { prepared } from '#fleet-server/store/prepared.ts';
import type { Database } from '#fleet-server/store/schema.ts';
import { keptStatements } from '#fleet-server/store/sqlite-database.ts';
import { SqliteDialect } from '#fleet-server/store/sqlite-driver.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import { deferred } from '../broker/packets.ts';

const find = prepared<{ number: number }>('number')((database, { number }) =>
  (database as unknown as Kysely<{ numbers: { number: number } }>).selectFrom('numbers').selectAll().where('number', '=', number),
);
const insert = prepared<{ number: number }>('number')((database, { number }) =>
  (database as unknown as Kysely<{ numbers: { number: number } }>).insertInto('numbers').values({ number }),
);

test('while no writer is let in, for a checkpoint, whoever reads is answered, and whoever writes waits', async () => {
  const file = new DatabaseSync(':memory:');
  file.exec('create table numbers (number integer primary key) strict');
  const dialect = new SqliteDialect({ database: keptStatements(file), flushed: async () => {}, observe: () => {} });
  const database = new Kysely({ dialect }) as unknown as Database;
  await insert(database, { number: 1 });
  const order: string[] = [];
  const { promise: checkpoint, resolve: finish } = deferred();
  const { promise: begun, resolve: begin } = deferred();
  const work = () => {
    begin();
    return checkpoint;
  };
  const alone = dialect.driver.alone(work).then(() => order.push('checkpoint'));
  await begun;
  const writes = [
    insert(database, { number: 2 }).then(() => order.push('written')),
    inTransaction(database, (transaction) => insert(transaction, { number: 3 })).then(() => order.push('transaction')),
  ];
  expect((await find(database, { number: 1 })).rows).toEqual([{ number: 1 }]);
  expect((await find(database, { number: 2 })).rows).toEqual([]);
  expect(order).toEqual([]);
  finish();
  await Promise.all([alone, ...writes]);
  expect(order[0]).toBe('checkpoint');
  expect((await find(database, { number: 3 })).rows).toEqual([{ number: 3 }]);
  await database.destroy();
  file.close();
});
