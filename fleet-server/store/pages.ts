/** Rows of a large fleet, a page at a time: between two of them others have their turn. SQLite answers in the thread that everybody waits for. */
import { setImmediate as nextTurn } from 'node:timers/promises';

export type PageStart = { readonly id: string; readonly limit: number };

/** Where dealing with a row takes some 20 µs. */
const usualRowsAtOnce = 250;

/** `read` gives the first `limit` rows whose ids come after `id`, by their ids. */
export async function* pages<Row extends { readonly id: string }>(
  read: (after: PageStart) => Promise<Row[]>,
  rowsAtOnce = usualRowsAtOnce,
): AsyncGenerator<Row[]> {
  for (let id = ''; ; ) {
    const page = await read({ id, limit: rowsAtOnce });
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    if (page.length < rowsAtOnce) return;
    id = last.id;
    await nextTurn();
  }
}

/** The same of what is there already. */
export async function* pieces<T>(all: readonly T[], rowsAtOnce = usualRowsAtOnce): AsyncGenerator<readonly T[]> {
  for (let from = 0; from < all.length; from += rowsAtOnce) {
    if (from > 0) await nextTurn();
    yield all.slice(from, from + rowsAtOnce);
  }
}
