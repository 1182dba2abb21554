/** Fleet servers on one PostgreSQL database, and what each knows of its devices. */
import { sql } from 'kysely';
import type { LivePart } from '#fleet-server/devices/shared-device.ts';
import type { RelayReport, ServerWord } from '#fleet-server/servers/relay-health.ts';
import type { Database, LiveDevicesTable, ServersTable } from '#fleet-server/store/schema.ts';

/** The database's clock: those of the servers need not agree. */
const databaseNowMs = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;

export type ServerPlace = Pick<ServersTable, 'url' | 'rtmpPort'>;
export type KnownServer = ServerPlace & ServerWord;

export async function sayAlive(database: Database, id: string, place: ServerPlace, relay: RelayReport): Promise<void> {
  const row = { ...place, relayKind: relay.kind, relayDetail: relay.detail.slice(0, 500), heartbeatAtMs: databaseNowMs };
  await database
    .insertInto('servers')
    .values({ id, ...row })
    .onConflict((c) => c.column('id').doUpdateSet(row))
    .execute();
}

/** Those that were stopped in order are not among them; those that died are, for a while. */
export async function knownServers(database: Database): Promise<KnownServer[]> {
  const rows = await database
    .selectFrom('servers')
    .select(['id', 'url', 'rtmpPort', 'relayKind', 'relayDetail'])
    .select(sql<number>`${databaseNowMs} - "heartbeatAtMs"`.as('silentMs'))
    .execute();
  return rows.map(({ relayKind: kind, relayDetail: detail, ...row }) => ({ ...row, relay: { kind, detail } }));
}

/** With what it knew: that is said by others from now on. */
export async function removeServer(database: Database, id: string): Promise<void> {
  await database.deleteFrom('liveDevices').where('serverId', '=', id).execute();
  await database.deleteFrom('servers').where('id', '=', id).execute();
}

/** What a server knew that has died: its own row stays, so that it is missed. */
export async function removeLiveOf(database: Database, serverIds: readonly string[]): Promise<void> {
  if (serverIds.length > 0) await database.deleteFrom('liveDevices').where('serverId', 'in', serverIds).execute();
}

export type LiveRow = Omit<LiveDevicesTable, 'part'> & { readonly part: LivePart };

/** What each server has heard itself is a row of its own; the other parts are one server's at a time. */
function stored({ part, ...row }: LiveRow): LiveDevicesTable {
  return { ...row, part: part === 'heard' ? `${heardBy}${row.serverId}` : part };
}

function read({ part, ...row }: LiveDevicesTable): LiveRow {
  return { ...row, part: part.startsWith(heardBy) ? 'heard' : (part as LivePart) };
}

const heardBy = 'heard by ';

/** Whatever server had it before. */
export async function claimLive(database: Database, rows: readonly LiveRow[]): Promise<void> {
  if (rows.length === 0) return;
  await database
    .insertInto('liveDevices')
    .values(rows.map(stored))
    .onConflict((c) => c.columns(['deviceId', 'part']).doUpdateSet(fromRow))
    .execute();
}

/** Only what is still this server's. */
export async function writeLive(database: Database, rows: readonly LiveRow[]): Promise<void> {
  if (rows.length === 0) return;
  await database
    .insertInto('liveDevices')
    .values(rows.map(stored))
    .onConflict((c) =>
      c
        .columns(['deviceId', 'part'])
        .doUpdateSet(fromRow)
        .where('liveDevices.serverId', '=', (e) => e.ref('excluded.serverId')),
    )
    .execute();
}

const fromRow = {
  serverId: sql<string>`excluded."serverId"`,
  version: sql<number>`excluded."version"`,
  document: sql<string | null>`excluded."document"`,
};

/** What a server has written after a version, in the order of its writing. */
export async function liveSince(database: Database, serverId: string, version: number, limit: number): Promise<LiveRow[]> {
  const rows = await database
    .selectFrom('liveDevices')
    .selectAll()
    .where('serverId', '=', serverId)
    .where('version', '>', version)
    .orderBy('version')
    .limit(limit)
    .execute();
  return rows.map(read);
}
