/** The thread of sqlite-checkpoints.ts: asked for a checkpoint, it makes one that disturbs nobody, and says so. */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { CheckpointAnswer } from '#fleet-server/store/sqlite-checkpoints.ts';

const database = new DatabaseSync(String(workerData));
// The main file is flushed before the journal is begun anew, as at every setting but OFF.
database.exec('pragma synchronous = normal');

function checkpoint(): CheckpointAnswer {
  try {
    database.exec('pragma wal_checkpoint(passive)');
    return 'done';
  } catch (cause) {
    if (cause instanceof Error && 'errcode' in cause) return 'failed';
    throw cause;
  }
}

parentPort?.on('message', () => parentPort?.postMessage(checkpoint()));
