/** The boards that were heard under a device's name, in the store. */
import type { BoardsMemory } from '#fleet-server/enrolment/boards.ts';
import type { Database } from '#fleet-server/store/schema.ts';

/** Undefined: there is no such device. */
export async function readBoards(database: Database, deviceId: string): Promise<BoardsMemory | undefined> {
  const device = await database.selectFrom('devices').select(['boardId', 'twiceSeenMs']).where('id', '=', deviceId).executeTakeFirst();
  if (device === undefined) return undefined;
  const boards = await database
    .selectFrom('deviceBoards')
    .select(['boardId', 'hostName', 'firstSeenMs', 'lastSeenMs'])
    .where('deviceId', '=', deviceId)
    .orderBy('lastSeenMs', 'desc')
    .execute();
  return { onRecord: device.boardId, boards, twiceSeenMs: device.twiceSeenMs };
}

export type Twice = { readonly sinceMs: number; readonly detail: string };

export async function writeBoards(
  database: Database,
  deviceId: string,
  { onRecord, boards, twiceSeenMs }: BoardsMemory,
  twice: Twice | null,
): Promise<void> {
  await database.deleteFrom('deviceBoards').where('deviceId', '=', deviceId).execute();
  if (boards.length > 0) {
    await database
      .insertInto('deviceBoards')
      .values(boards.map((board) => ({ deviceId, ...board })))
      .execute();
  }
  const others = boards.filter(({ boardId }) => boardId !== onRecord).map(({ lastSeenMs }) => lastSeenMs);
  const otherBoardSeenMs = others.length === 0 ? null : Math.max(...others);
  const columns = {
    boardId: onRecord,
    otherBoardSeenMs,
    twiceSeenMs,
    twiceSinceMs: twice?.sinceMs ?? null,
    twiceDetail: twice?.detail ?? '',
  };
  await database.updateTable('devices').set(columns).where('id', '=', deviceId).execute();
}
