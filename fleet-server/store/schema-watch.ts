/**
 * Notices that a newer fleet server has brought the schema to its own version while this one runs: several servers on one database, one of them
 * upgraded, or a newer program's subcommand beside this server. What this one would write then may fit no table any more, so it ends, as it would
 * not have started.
 */
import type { Clock } from '#fleet-server/clock.ts';
import type { FleetError } from '#fleet-server/errors.ts';
import { migrations, newerSchema, readSchemaVersion } from '#fleet-server/store/migrations.ts';
import type { Database } from '#fleet-server/store/schema.ts';

/** One row is read. */
const lookMs = 2000;

export type SchemaWatchOptions = {
  readonly database: Database;
  readonly clock: Clock;
  /** Which version this program knows. */
  readonly known?: number;
  /** Called once. */
  onNewer(error: FleetError): void;
};

export class SchemaWatch {
  readonly #options: SchemaWatchOptions;
  #cancel: (() => void) | null = null;
  #isLooking = false;

  constructor(options: SchemaWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#cancel ??= this.#options.clock.every(lookMs, () => void this.#look());
  }

  /** May be called twice. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  async #look(): Promise<void> {
    const { database, known = migrations.length, onNewer } = this.#options;
    if (this.#isLooking) return;
    this.#isLooking = true;
    // A database that does not answer is told by whoever needs it.
    const version = await readSchemaVersion(database).catch(() => known);
    this.#isLooking = false;
    if (version <= known || this.#cancel === null) return;
    this.stop();
    onNewer(newerSchema(version, known));
  }
}
