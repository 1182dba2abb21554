/**
 * What a group sets, under its new name: values, revisions and what is on trial, in a transaction of the caller's. Nothing in the desired document of a
 * device names its group: none becomes another by this.
 */
import { renameRevisions } from '#fleet-server/settings/revisions-store.ts';
import { renameValues } from '#fleet-server/settings/settings-store.ts';
import { renameTrials } from '#fleet-server/settings/trials-store.ts';
import type { Database } from '#fleet-server/store/schema.ts';

/** Answers by how much the number of each revision is greater than it was. */
export async function renameGroupOfSettings(transaction: Database, from: string, to: string): Promise<number> {
  await renameValues(transaction, from, to);
  await renameTrials(transaction, from, to);
  return renameRevisions(transaction, from, to);
}
