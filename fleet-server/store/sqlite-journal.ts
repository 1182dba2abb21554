/**
 * What stands in SQLite's journal (the WAL) at this moment. The size of its file says nothing of that: it is written again from its beginning,
 * and cut only where it has grown far. Cutting it each time held up whoever wrote next for 60 ms.
 *
 * INVARIANT: the index of the journal is opened once and closed after the database. Closing any descriptor of it lets go of the locks that
 * SQLite holds there for this process: https://sqlite.org/howtocorrupt.html, section 2.2.
 */
import { closeSync, openSync, readSync } from 'node:fs';

/** Words of the index's header, in the machine's own order of bytes: https://sqlite.org/walformat.html#the_wal_index_file_format */
const header = { bytes: 24, framesWord: 4, pageSizeHalfWord: 7 } as const;
const frameHeaderBytes = 24;

export class SqliteJournalIndex {
  readonly #descriptor: number;
  readonly #words = new Uint32Array(header.bytes / 4);
  readonly #halfWords = new Uint16Array(this.#words.buffer);

  /** Of a database that is open and was written to. */
  constructor(databasePath: string) {
    this.#descriptor = openSync(`${databasePath}-shm`, 'r');
  }

  /** Of whole transactions since the journal was begun anew. */
  bytes(): number {
    readSync(this.#descriptor, this.#words, 0, header.bytes, 0);
    const pageSize = this.#halfWords[header.pageSizeHalfWord] ?? 0;
    // 65536 does not fit into its place.
    const pageBytes = pageSize === 1 ? 65_536 : pageSize;
    return (this.#words[header.framesWord] ?? 0) * (pageBytes + frameHeaderBytes);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
