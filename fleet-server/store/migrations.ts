/**
 * The history of the schema: an ordered list, of which each entry is run once. Entries are never changed once released; a new
 * one is added at the end. Written with Kysely's schema builder, so that it serves every database behind the store's door.
 */
import { type CreateTableBuilder, type Kysely, sql } from 'kysely';
import { FleetError } from '#fleet-server/errors.ts';
import { type Engine, engineOf } from '#fleet-server/store/engine.ts';
import type { Database } from '#fleet-server/store/schema.ts';

// A migration works on tables as they were then, which the types of today do not describe.
type Migration = { readonly name: string; run(database: Kysely<unknown>, engine: Engine): Promise<void> };

/** Of an application's own choice: no two servers bring the schema of one PostgreSQL database up to date at once. */
const migrationLock = 1_297_304_625;

/** A number that the database gives, growing; a number that was given is not given again. */
function withOwnId<T extends string>(table: CreateTableBuilder<T>, engine: Engine): CreateTableBuilder<T, 'id'> {
  return engine === 'sqlite'
    ? table.addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
    : table.addColumn('id', 'bigint', (c) => c.primaryKey().generatedAlwaysAsIdentity());
}

/** Text in the order of its bytes, as SQLite has it, whatever the language of the database. */
function plainText(engine: Engine) {
  return engine === 'sqlite' ? sql`text` : sql`text collate "C"`;
}

async function first(database: Kysely<unknown>, engine: Engine): Promise<void> {
  const { schema } = database;
  await schema
    .createTable('people')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('role', 'text', (c) => c.notNull())
    .addColumn('passwordHash', 'text', (c) => c.notNull())
    .addColumn('createdAtMs', 'bigint', (c) => c.notNull())
    .execute();
  await schema
    .createTable('sessions')
    .addColumn('tokenHash', 'text', (c) => c.primaryKey())
    .addColumn('personName', 'text', (c) => c.notNull().references('people.name').onDelete('cascade'))
    .addColumn('createdAtMs', 'bigint', (c) => c.notNull())
    .addColumn('lastUsedAtMs', 'bigint', (c) => c.notNull())
    .addColumn('expiresAtMs', 'bigint', (c) => c.notNull())
    .execute();
  await schema
    .createTable('joinTokens')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('tokenHash', 'text', (c) => c.notNull().unique())
    .addColumn('usesLeft', 'integer', (c) => c.notNull())
    .addColumn('expiresAtMs', 'bigint', (c) => c.notNull())
    .addColumn('groupName', 'text')
    .addColumn('createdAtMs', 'bigint', (c) => c.notNull())
    .addColumn('createdBy', 'text', (c) => c.notNull())
    .execute();
  await schema
    .createTable('devices')
    .addColumn('id', plainText(engine), (c) => c.primaryKey())
    .addColumn('name', plainText(engine), (c) => c.notNull())
    .addColumn('groupName', 'text')
    .addColumn('joinedAtMs', 'bigint', (c) => c.notNull())
    .addColumn('credentialHash', 'text', (c) => c.notNull())
    .addColumn('keyGeneration', 'integer', (c) => c.notNull())
    .addColumn('desiredRevision', 'bigint', (c) => c.notNull())
    .addColumn('desiredDigest', 'text', (c) => c.notNull())
    .addColumn('appliedRevision', 'bigint', (c) => c.notNull())
    .addColumn('appliedAtMs', 'bigint')
    .addColumn('outcomeRevision', 'bigint', (c) => c.notNull())
    .addColumn('outcome', 'text')
    .addColumn('refusals', 'text', (c) => c.notNull())
    .addColumn('eventsUpTo', 'bigint', (c) => c.notNull())
    .execute();
  await schema.createIndex('devicesByName').on('devices').columns(['name', 'id']).execute();
  await schema.createIndex('devicesByGroup').on('devices').column('groupName').execute();
  await schema
    .createTable('deviceStates')
    .addColumn('deviceId', 'text', (c) => c.primaryKey().references('devices.id').onDelete('cascade'))
    .addColumn('bootId', 'text')
    .addColumn('sessionCounter', 'bigint', (c) => c.notNull())
    .addColumn('heardAtMs', 'bigint')
    .addColumn('versions', 'text')
    .addColumn('report', 'text')
    .execute();
  await schema
    .createTable('settings')
    .addColumn('level', 'text', (c) => c.notNull())
    .addColumn('scope', 'text', (c) => c.notNull())
    .addColumn('key', 'text', (c) => c.notNull())
    .addColumn('value', 'text', (c) => c.notNull())
    .addColumn('setAtMs', 'bigint', (c) => c.notNull())
    .addColumn('setBy', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('settingsKey', ['level', 'scope', 'key'])
    .execute();
  await withOwnId(schema.createTable('settingsChanges'), engine)
    .addColumn('level', 'text', (c) => c.notNull())
    .addColumn('scope', 'text', (c) => c.notNull())
    .addColumn('key', 'text', (c) => c.notNull())
    .addColumn('before', 'text')
    .addColumn('after', 'text')
    .addColumn('changedAtMs', 'bigint', (c) => c.notNull())
    .addColumn('changedBy', 'text', (c) => c.notNull())
    .execute();
  await schema
    .createTable('commands')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('deviceId', 'text', (c) => c.notNull().references('devices.id').onDelete('cascade'))
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('arguments', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('requestedBy', 'text', (c) => c.notNull())
    .addColumn('requestedAtMs', 'bigint', (c) => c.notNull())
    .addColumn('deadlineMs', 'bigint', (c) => c.notNull())
    .addColumn('finishedAtMs', 'bigint')
    .addColumn('detail', 'text', (c) => c.notNull())
    .execute();
  await schema.createIndex('commandsByDevice').on('commands').columns(['deviceId', 'requestedAtMs']).execute();
  await schema.createIndex('commandsByDeadline').on('commands').columns(['state', 'deadlineMs']).execute();
  await withOwnId(schema.createTable('history'), engine)
    .addColumn('deviceId', 'text', (c) => c.notNull().references('devices.id').onDelete('cascade'))
    .addColumn('atMs', 'bigint', (c) => c.notNull())
    .addColumn('origin', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('detail', 'text', (c) => c.notNull())
    .addColumn('deviceNumber', 'bigint')
    .addUniqueConstraint('historyOncePerEvent', ['deviceId', 'deviceNumber'])
    .execute();
  await schema.createIndex('historyByDevice').on('history').columns(['deviceId', 'id']).execute();
  await schema
    .createTable('healthSamples')
    .addColumn('deviceId', 'text', (c) => c.notNull().references('devices.id').onDelete('cascade'))
    .addColumn('atMs', 'bigint', (c) => c.notNull())
    .addColumn('framesPerSecond', 'double precision')
    .addColumn('videoBitrateKbps', 'double precision')
    .addColumn('temperatureC', 'double precision')
    .addColumn('loadAverage1m', 'double precision')
    .addColumn('memoryAvailableBytes', 'bigint')
    .addPrimaryKeyConstraint('healthSamplesKey', ['deviceId', 'atMs'])
    .execute();
  await schema.createIndex('healthSamplesByTime').on('healthSamples').column('atMs').execute();
}

async function keyFingerprint(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('storeKey')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('fingerprint', 'text', (c) => c.notNull())
    .execute();
}

async function peopleAndAudit(database: Kysely<unknown>, engine: Engine): Promise<void> {
  const { schema } = database;
  await schema
    .createTable('accessTokens')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('tokenHash', 'text', (c) => c.notNull().unique())
    .addColumn('personName', 'text', (c) => c.notNull().references('people.name').onDelete('cascade'))
    .addColumn('scopes', 'text', (c) => c.notNull())
    .addColumn('createdAtMs', 'bigint', (c) => c.notNull())
    .addColumn('expiresAtMs', 'bigint', (c) => c.notNull())
    .addColumn('lastUsedAtMs', 'bigint')
    .execute();
  await withOwnId(schema.createTable('auditLog'), engine)
    .addColumn('atMs', 'bigint', (c) => c.notNull())
    .addColumn('actor', 'text', (c) => c.notNull())
    .addColumn('action', 'text', (c) => c.notNull())
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('changes', 'text', (c) => c.notNull())
    .execute();
  await schema.createIndex('auditLogBySubject').on('auditLog').columns(['subject', 'id']).execute();
}

async function severalServers(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  await schema
    .createTable('servers')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('heartbeatAtMs', 'bigint', (c) => c.notNull())
    .addColumn('url', 'text', (c) => c.notNull())
    .addColumn('rtmpPort', 'integer', (c) => c.notNull())
    .execute();
  await schema
    .createTable('liveDevices')
    .addColumn('deviceId', 'text', (c) => c.notNull())
    .addColumn('part', 'text', (c) => c.notNull())
    .addColumn('serverId', 'text', (c) => c.notNull())
    .addColumn('version', 'bigint', (c) => c.notNull())
    .addColumn('document', 'text')
    .addPrimaryKeyConstraint('liveDevicesKey', ['deviceId', 'part'])
    .execute();
  await schema.createIndex('liveDevicesByServer').on('liveDevices').columns(['serverId', 'version']).execute();
}

async function soundInHealth(database: Kysely<unknown>): Promise<void> {
  const table = database.schema.alterTable('healthSamples');
  await table.addColumn('audioRmsDbfs', 'double precision').execute();
  await table.addColumn('audioVideoDriftMs', 'double precision').execute();
}

async function alerts(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  await schema
    .createTable('doneOnce')
    .addColumn('what', 'text', (c) => c.primaryKey())
    .execute();
  await schema
    .createTable('alertRules')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('document', 'text', (c) => c.notNull())
    .addColumn('createdAtMs', 'bigint', (c) => c.notNull())
    .execute();
  await schema
    .createTable('alertChannels')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('target', 'text', (c) => c.notNull())
    .addColumn('createdAtMs', 'bigint', (c) => c.notNull())
    .addColumn('lastAttemptAtMs', 'bigint')
    .addColumn('lastProblem', 'text')
    .execute();
  await schema
    .createTable('alerts')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('key', 'text', (c) => c.notNull())
    .addColumn('ruleId', 'text', (c) => c.notNull())
    .addColumn('ruleName', 'text', (c) => c.notNull())
    .addColumn('severity', 'text', (c) => c.notNull())
    .addColumn('title', 'text', (c) => c.notNull())
    .addColumn('detail', 'text', (c) => c.notNull())
    .addColumn('deviceId', 'text')
    .addColumn('openedAtMs', 'bigint', (c) => c.notNull())
    .addColumn('acknowledgedAtMs', 'bigint')
    .addColumn('acknowledgedBy', 'text')
    .addColumn('escalateAtMs', 'bigint')
    .addColumn('escalatedAtMs', 'bigint')
    .addColumn('resolvedAtMs', 'bigint')
    .addColumn('toldChannels', 'text', (c) => c.notNull())
    .execute();
  // Two servers that both believe that they lead cannot open the same alert twice.
  await sql`create unique index "alertsOpenOnce" on "alerts" ("key") where "resolvedAtMs" is null`.execute(database);
  await schema.createIndex('alertsByTime').on('alerts').columns(['openedAtMs', 'id']).execute();
  await schema
    .createTable('alertNotices')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('alertId', 'text', (c) => c.notNull())
    .addColumn('channelId', 'text', (c) => c.notNull().references('alertChannels.id').onDelete('cascade'))
    .addColumn('event', 'text', (c) => c.notNull())
    .addColumn('document', 'text', (c) => c.notNull())
    .addColumn('createdAtMs', 'bigint', (c) => c.notNull())
    .addColumn('attempts', 'integer', (c) => c.notNull())
    .addColumn('nextAttemptAtMs', 'bigint', (c) => c.notNull())
    .execute();
  await schema.createIndex('alertNoticesByTime').on('alertNotices').column('nextAttemptAtMs').execute();
}

async function settingsRevisions(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  await schema
    .createTable('settingsRevisions')
    .addColumn('level', 'text', (c) => c.notNull())
    .addColumn('scope', 'text', (c) => c.notNull())
    .addColumn('number', 'bigint', (c) => c.notNull())
    .addColumn('changedAtMs', 'bigint', (c) => c.notNull())
    .addColumn('changedBy', 'text', (c) => c.notNull())
    .addColumn('comment', 'text')
    .addColumn('undoes', 'bigint')
    .addPrimaryKeyConstraint('settingsRevisionsKey', ['level', 'scope', 'number'])
    .execute();
  await schema
    .createTable('settingsRevisionChanges')
    .addColumn('level', 'text', (c) => c.notNull())
    .addColumn('scope', 'text', (c) => c.notNull())
    .addColumn('number', 'bigint', (c) => c.notNull())
    .addColumn('key', 'text', (c) => c.notNull())
    .addColumn('before', 'text')
    .addColumn('after', 'text')
    .addPrimaryKeyConstraint('settingsRevisionChangesKey', ['level', 'scope', 'number', 'key'])
    .execute();
  // What was changed at one moment by one person is one revision.
  await sql`delete from "settingsChanges" where "level" = 'device' and "scope" not in (select "id" from "devices")`.execute(database);
  await sql`insert into "settingsRevisions" ("level", "scope", "number", "changedAtMs", "changedBy")
    select "level", "scope", row_number() over (partition by "level", "scope" order by "changedAtMs", "changedBy"), "changedAtMs", "changedBy"
    from (select distinct "level", "scope", "changedAtMs", "changedBy" from "settingsChanges") as "moments"`.execute(database);
  await sql`insert into "settingsRevisionChanges" ("level", "scope", "number", "key", "before", "after")
    select c."level", c."scope", r."number", c."key", c."before", c."after" from "settingsChanges" c
    join "settingsRevisions" r on r."level" = c."level" and r."scope" = c."scope"
      and r."changedAtMs" = c."changedAtMs" and r."changedBy" = c."changedBy"
    where true on conflict do nothing`.execute(database);
  await schema.dropTable('settingsChanges').execute();
  await schema
    .alterTable('devices')
    .addColumn('tags', 'text', (c) => c.notNull().defaultTo(''))
    .execute();
}

async function healthRollUps(database: Kysely<unknown>, engine: Engine): Promise<void> {
  const { schema } = database;
  // As they were when this was written: columns that come later are a migration of their own.
  const figures = [
    'framesPerSecond',
    'videoBitrateKbps',
    'temperatureC',
    'loadAverage1m',
    'memoryAvailableBytes',
    'audioRmsDbfs',
    'audioVideoDriftMs',
  ];
  for (const name of ['healthMinutes', 'healthHours']) {
    let table = schema
      .createTable(name)
      .addColumn('deviceId', 'text', (c) => c.notNull().references('devices.id').onDelete('cascade'))
      .addColumn('atMs', 'bigint', (c) => c.notNull());
    for (const figure of figures) {
      table = table.addColumn(`${figure}Sum`, 'double precision').addColumn(`${figure}Count`, 'integer', (c) => c.notNull());
      if (figure !== 'loadAverage1m') table = table.addColumn(`${figure}Min`, 'double precision');
      if (figure !== 'memoryAvailableBytes') table = table.addColumn(`${figure}Max`, 'double precision');
    }
    table = table.addPrimaryKeyConstraint(`${name}Key`, ['deviceId', 'atMs']);
    // The rows stand in the index of their key, which saves a third of the space.
    await (engine === 'sqlite' ? table.modifyEnd(sql`without rowid`) : table).execute();
  }
  await schema
    .createTable('healthProgress')
    .addColumn('resolution', 'text', (c) => c.primaryKey())
    .addColumn('upToMs', 'bigint', (c) => c.notNull())
    .execute();
  await schema
    .createTable('healthLate')
    .addColumn('deviceId', 'text', (c) => c.notNull().references('devices.id').onDelete('cascade'))
    .addColumn('minuteMs', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('healthLateKey', ['deviceId', 'minuteMs'])
    .execute();
}

async function commandBatches(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  await schema.alterTable('commands').addColumn('lines', 'text').execute();
  await schema.alterTable('commands').addColumn('batchId', 'text').execute();
  await schema.createIndex('commandsByBatch').on('commands').column('batchId').execute();
}

async function listedRecordings(database: Kysely<unknown>): Promise<void> {
  await database.schema.alterTable('commands').addColumn('recordings', 'text').execute();
}

async function rollouts(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  await schema
    .createTable('settingsTrials')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('level', 'text', (c) => c.notNull())
    .addColumn('scope', 'text', (c) => c.notNull())
    .addColumn('patchSealed', 'text', (c) => c.notNull())
    .addColumn('startedAtMs', 'bigint', (c) => c.notNull())
    .addColumn('startedBy', 'text', (c) => c.notNull())
    .execute();
  await schema
    .createTable('settingsTrialDevices')
    .addColumn('trialId', 'text', (c) => c.notNull().references('settingsTrials.id').onDelete('cascade'))
    .addColumn('deviceId', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('settingsTrialDevicesKey', ['trialId', 'deviceId'])
    .execute();
  await schema.createIndex('settingsTrialDevicesByDevice').on('settingsTrialDevices').column('deviceId').execute();
  await schema
    .createTable('rollouts')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('level', 'text', (c) => c.notNull())
    .addColumn('scope', 'text', (c) => c.notNull())
    .addColumn('changes', 'text', (c) => c.notNull())
    .addColumn('plan', 'text', (c) => c.notNull())
    .addColumn('comment', 'text')
    .addColumn('createdAtMs', 'bigint', (c) => c.notNull())
    .addColumn('createdBy', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('wave', 'integer', (c) => c.notNull())
    .addColumn('reason', 'text')
    .addColumn('finishedAtMs', 'bigint')
    .addColumn('revision', 'bigint')
    .execute();
  await schema.createIndex('rolloutsByState').on('rollouts').columns(['state', 'createdAtMs']).execute();
  await schema
    .createTable('rolloutDevices')
    .addColumn('rolloutId', 'text', (c) => c.notNull().references('rollouts.id').onDelete('cascade'))
    .addColumn('deviceId', 'text', (c) => c.notNull())
    .addColumn('wave', 'integer', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('sinceMs', 'bigint', (c) => c.notNull())
    .addColumn('reason', 'text')
    .addColumn('before', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('rolloutDevicesKey', ['rolloutId', 'deviceId'])
    .execute();
}

async function settingsDrift(database: Kysely<unknown>): Promise<void> {
  const table = database.schema.alterTable('devices');
  await table.addColumn('driftedSinceMs', 'bigint').execute();
  await table.addColumn('driftedKeys', 'text', (c) => c.notNull().defaultTo('')).execute();
  await table.addColumn('driftRepairs', 'integer', (c) => c.notNull().defaultTo(0)).execute();
  await table.addColumn('driftRepairAtMs', 'bigint').execute();
}

async function nextCredentials(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  await schema.alterTable('devices').addColumn('nextCredentialHash', 'text').execute();
  await schema.alterTable('devices').addColumn('nextCredentialSealed', 'text').execute();
}

async function approval(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  await schema.alterTable('devices').addColumn('waitingSinceMs', 'bigint').execute();
  const tokens = schema.alterTable('joinTokens');
  await tokens.addColumn('tags', 'text', (c) => c.notNull().defaultTo('')).execute();
  await tokens.addColumn('needsApproval', 'integer', (c) => c.notNull().defaultTo(0)).execute();
}

async function boards(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  const devices = schema.alterTable('devices');
  await devices.addColumn('boardId', 'text').execute();
  await devices.addColumn('otherBoardSeenMs', 'bigint').execute();
  await devices.addColumn('twiceSinceMs', 'bigint').execute();
  await devices.addColumn('twiceSeenMs', 'bigint').execute();
  await devices.addColumn('twiceDetail', 'text', (c) => c.notNull().defaultTo('')).execute();
  await schema
    .createTable('deviceBoards')
    .addColumn('deviceId', 'text', (c) => c.notNull().references('devices.id').onDelete('cascade'))
    .addColumn('boardId', 'text', (c) => c.notNull())
    .addColumn('hostName', 'text', (c) => c.notNull())
    .addColumn('firstSeenMs', 'bigint', (c) => c.notNull())
    .addColumn('lastSeenMs', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('deviceBoardsKey', ['deviceId', 'boardId'])
    .execute();
}

async function watchdogPolicies(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  await schema
    .createTable('maintenanceWindows')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('level', 'text', (c) => c.notNull())
    .addColumn('scope', 'text', (c) => c.notNull())
    .addColumn('document', 'text', (c) => c.notNull())
    .addColumn('createdAtMs', 'bigint', (c) => c.notNull())
    .addColumn('createdBy', 'text', (c) => c.notNull())
    .addColumn('overAtMs', 'bigint')
    .execute();
  await schema
    .createTable('watchdogPolicies')
    .addColumn('level', 'text', (c) => c.notNull())
    .addColumn('scope', 'text', (c) => c.notNull())
    .addColumn('document', 'text', (c) => c.notNull())
    .addColumn('changedAtMs', 'bigint', (c) => c.notNull())
    .addColumn('changedBy', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('watchdogPoliciesKey', ['level', 'scope'])
    .execute();
  // What the watchdog did of late is asked of the whole fleet's history at once.
  await sql`create index "historyOfWatchdog" on "history" ("atMs") where "origin" = 'watchdog'`.execute(database);
}

async function devicePositions({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .alterTable('deviceStates')
    .addColumn('sessionEra', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute();
  await schema
    .createTable('devicePositions')
    .addColumn('deviceId', 'text', (c) => c.notNull().references('devices.id').onDelete('cascade'))
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('era', 'bigint', (c) => c.notNull())
    .addColumn('counter', 'bigint', (c) => c.notNull())
    .addColumn('sequence', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('devicePositionsKey', ['deviceId', 'subject'])
    .execute();
}

async function relaysOfServers({ schema }: Kysely<unknown>): Promise<void> {
  const servers = schema.alterTable('servers');
  await servers.addColumn('relayKind', 'text', (c) => c.notNull().defaultTo('unknown')).execute();
  await servers.addColumn('relayDetail', 'text', (c) => c.notNull().defaultTo('')).execute();
}

async function blocking({ schema }: Kysely<unknown>): Promise<void> {
  await schema.alterTable('devices').addColumn('blockedSinceMs', 'bigint').execute();
  // Of each newcomer it is asked whether its board is one that was shut out.
  await schema.createIndex('devicesByBoard').on('devices').column('boardId').execute();
}

async function lateEvents(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  await schema.alterTable('history').addColumn('arrivedAtMs', 'bigint').execute();
  // Entries stand in the order of their times now: what a wrong clock has put into the future would stay the newest for ever.
  const nowMs = Date.now();
  await sql`update "history" set "atMs" = ${nowMs} where "origin" = 'device' and "atMs" > ${nowMs}`.execute(database);
  await schema.createIndex('historyByDeviceAndTime').on('history').columns(['deviceId', 'atMs']).execute();
  await schema.dropIndex('historyByDevice').execute();
}

async function alertPendings({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('alertPendings')
    .addColumn('key', 'text', (c) => c.primaryKey())
    .addColumn('sinceMs', 'bigint', (c) => c.notNull())
    .addColumn('gatheredAs', 'text')
    .execute();
}

async function toldChannels({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .alterTable('alertChannels')
    .addColumn('told', 'text', (c) => c.notNull().defaultTo(''))
    .execute();
}

async function measuredEscalations(database: Kysely<unknown>): Promise<void> {
  await database.schema.alterTable('alerts').renameColumn('escalateAtMs', 'escalateInMs').execute();
  const nowMs = Date.now();
  await sql`update "alerts" set "escalateInMs" = case when "escalateInMs" > ${nowMs} then "escalateInMs" - ${nowMs} else 0 end
    where "escalateInMs" is not null`.execute(database);
}

async function noticesByAlert({ schema }: Kysely<unknown>): Promise<void> {
  // Of each alert that is over it is asked what of it is still to be told.
  await schema.createIndex('alertNoticesByAlert').on('alertNotices').columns(['alertId', 'channelId']).execute();
}

async function rolloutFalls({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .alterTable('rolloutDevices')
    .addColumn('falls', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();
}

async function commandProgress({ schema }: Kysely<unknown>): Promise<void> {
  await schema.alterTable('commands').addColumn('begunAtMs', 'bigint').execute();
  await schema.alterTable('commands').addColumn('elapsedMs', 'bigint').execute();
  await schema.alterTable('commands').addColumn('progress', 'text').execute();
}

async function lostConnections({ schema }: Kysely<unknown>): Promise<void> {
  await schema.alterTable('deviceStates').addColumn('lossesAtMs', 'text').execute();
  await schema.alterTable('deviceStates').addColumn('unstableSinceMs', 'bigint').execute();
}

async function commandNumbers(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  await schema
    .alterTable('commands')
    .addColumn('number', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute();
  await sql`update "commands" set "number" = "ordered"."number" from
    (select "id", row_number() over (partition by "deviceId" order by "requestedAtMs", "id") as "number" from "commands") as "ordered"
    where "ordered"."id" = "commands"."id"`.execute(database);
  await schema.createIndex('commandsByNumber').on('commands').columns(['deviceId', 'number']).execute();
  await schema.dropIndex('commandsByDevice').execute();
}

export const migrations: readonly Migration[] = [
  { name: 'the first schema', run: first },
  { name: 'which key the store was made with', run: keyFingerprint },
  { name: 'access tokens and the audit log', run: peopleAndAudit },
  { name: 'several servers on one database', run: severalServers },
  { name: 'the level of the sound and its drift in the health', run: soundInHealth },
  { name: 'alerts', run: alerts },
  { name: 'revisions of settings, and tags', run: settingsRevisions },
  { name: 'health by the minute and by the hour', run: healthRollUps },
  { name: 'commands to several devices, and what they found', run: commandBatches },
  { name: 'roll-outs', run: rollouts },
  { name: 'drift of settings', run: settingsDrift },
  { name: 'a credential that is about to take the place of another', run: nextCredentials },
  { name: 'newcomers that wait for approval', run: approval },
  { name: 'the boards of a device', run: boards },
  { name: 'maintenance windows, and policies of the watchdog', run: watchdogPolicies },
  { name: 'which message of a device was the newest, where order is not kept', run: devicePositions },
  { name: 'how the relay of each server is', run: relaysOfServers },
  { name: 'the recordings that a device listed', run: listedRecordings },
  { name: 'devices that are shut out', run: blocking },
  { name: 'when events arrived, and their order by when they happened', run: lateEvents },
  { name: 'since when something is wrong that may become an alert', run: alertPendings },
  { name: 'what each alert channel was told of late', run: toldChannels },
  { name: 'how much time is left until an alert is escalated', run: measuredEscalations },
  { name: 'what is to be told of one alert', run: noticesByAlert },
  { name: 'how often a device became unwell under a roll-out', run: rolloutFalls },
  { name: 'how far a device is with a command', run: commandProgress },
  { name: 'when the connection of a device was lost of late', run: lostConnections },
  { name: 'commands in the order in which they were asked for, whatever the clock says', run: commandNumbers },
];

/** 0: there is none yet. */
export async function readSchemaVersion(database: Database): Promise<number> {
  const row = await database.selectFrom('schemaVersion').select('version').executeTakeFirst();
  return row?.version ?? 0;
}

export function newerSchema(version: number, known: number): FleetError {
  return new FleetError(
    'store-damaged',
    `Expected a store of schema version ${known} or older, got version ${version}: a newer fleet server has written it. Start that version, or restore a backup.`,
  );
}

/** Brings the schema to the version of this program, all or nothing; refuses one that a newer program made. */
export async function migrate(database: Database, list: readonly Migration[] = migrations): Promise<void> {
  const engine = engineOf(database);
  await database.transaction().execute(async (transaction) => {
    if (engine === 'postgresql') await sql`select pg_advisory_xact_lock(${migrationLock})`.execute(transaction);
    await sql`create table if not exists "schemaVersion" ("id" integer primary key, "version" integer not null)`.execute(transaction);
    const version = await readSchemaVersion(transaction);
    if (version > list.length) throw newerSchema(version, list.length);
    for (const migration of list.slice(version)) await migration.run(transaction as unknown as Kysely<unknown>, engine);
    await transaction
      .insertInto('schemaVersion')
      .values({ id: 1, version: list.length })
      .onConflict((c) => c.column('id').doUpdateSet({ version: list.length }))
      .execute();
  });
}
