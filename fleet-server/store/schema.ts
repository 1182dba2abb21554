/**
 * The tables, as types; migrations.ts makes them. Times are milliseconds since 1970 by this server's clock; structured values are JSON
 * as text; whatever ends in `hash` is a keyed hash or a password hash, whatever ends in `sealed` is encrypted.
 */

import type { ColumnType, Generated, Kysely } from 'kysely';
import type { PositionSubject } from '#fleet-server/devices/device-positions-store.ts';
import type { RollUpColumns } from '#fleet-server/health/health-figures.ts';
import type { RelayReport } from '#fleet-server/servers/relay-health.ts';
import type { RolloutDeviceKind, RolloutKind } from '#protocol/model/rollout.ts';

export type PeopleTable = { name: string; role: string; passwordHash: string; createdAtMs: number };

export type SessionsTable = {
  tokenHash: string;
  personName: string;
  createdAtMs: number;
  lastUsedAtMs: number;
  expiresAtMs: number;
};

export type JoinTokensTable = {
  id: string;
  tokenHash: string;
  usesLeft: number;
  expiresAtMs: number;
  groupName: string | null;
  /** As in `devices`. */
  tags: string;
  /** 1: each device that joins with it waits for a person's word. */
  needsApproval: number;
  createdAtMs: number;
  createdBy: string;
};

export type DevicesTable = {
  id: string;
  name: string;
  groupName: string | null;
  joinedAtMs: number;
  /** Since when it waits for a person to let it in; null: it is in. */
  waitingSinceMs: number | null;
  /** Since when it is shut out; null: it is not. */
  blockedSinceMs: number | null;
  /** The board that it belongs to; null before the first that says which it is. */
  boardId: string | null;
  /** When another one was heard last under its name; null: never. */
  otherBoardSeenMs: number | null;
  /** Since when two boards have been at it, when that was last seen, and which boards: see enrolment/boards.ts. */
  twiceSinceMs: number | null;
  twiceSeenMs: number | null;
  twiceDetail: string;
  credentialHash: string;
  /** The one that the device has been given and has not used yet: its hash, and itself, to be given again. */
  nextCredentialHash: string | null;
  nextCredentialSealed: string | null;
  /** Part of what the stream key is drawn from: a new generation is a new key. */
  keyGeneration: number;
  desiredRevision: number;
  desiredDigest: string;
  appliedRevision: number;
  appliedAtMs: number | null;
  /** The revision that the device's last `applied` message was about, what became of it, and the refusals as JSON. */
  outcomeRevision: number;
  outcome: string | null;
  refusals: string;
  /** All the device's events up to this number are stored. */
  eventsUpTo: number;
  /** Words with a space before and after each; empty when there are none. */
  tags: string;
  /** Since when it reports other settings than those that it confirmed, which, and how that was mended: see settings/drift.ts. */
  driftedSinceMs: number | null;
  driftedKeys: string;
  driftRepairs: number;
  driftRepairAtMs: number | null;
};

/** Boards that were heard under a device's name. */
export type DeviceBoardsTable = { deviceId: string; boardId: string; hostName: string; firstSeenMs: number; lastSeenMs: number };

/** What is shown of a device before it is heard again after a restart of the server. */
export type DeviceStatesTable = {
  deviceId: string;
  bootId: string | null;
  /** Of the session; see SessionPosition. */
  sessionEra: number;
  sessionCounter: number;
  heardAtMs: number | null;
  versions: string | null;
  report: string | null;
  /** JSON: when its connection was lost of late; null: never. See Losses. */
  lossesAtMs: string | null;
  unstableSinceMs: number | null;
};

/** The newest message of a device that changed a part of the store, where order is not kept on the way: see device-positions-store.ts. */
export type DevicePositionsTable = { deviceId: string; subject: PositionSubject; era: number; counter: number; sequence: number };

export type SettingsTable = {
  level: 'fleet' | 'group' | 'device';
  /** Empty for the fleet, else the group's name or the device's id. */
  scope: string;
  key: string;
  /** JSON; for secrets sealed. */
  value: string;
  setAtMs: number;
  setBy: string;
};

/** A change at one level, numbered from 1 there. */
export type SettingsRevisionsTable = {
  level: string;
  scope: string;
  number: number;
  changedAtMs: number;
  changedBy: string;
  comment: string | null;
  /** The number of the revision that it took back. */
  undoes: number | null;
};

export type SettingsRevisionChangesTable = {
  level: string;
  scope: string;
  number: number;
  key: string;
  /** JSON, or null for unset; a secret is sealed, or the word `secret` where only that was kept. */
  before: string | null;
  after: string | null;
};

/** A patch of one level that is in force on some devices only; a roll-out's, under its id. */
export type SettingsTrialsTable = {
  id: string;
  level: 'fleet' | 'group';
  scope: string;
  /** Keys and values as JSON, sealed: there may be secrets among them. */
  patchSealed: string;
  startedAtMs: number;
  startedBy: string;
};

export type SettingsTrialDevicesTable = { trialId: string; deviceId: string };

export type RolloutsTable = {
  id: string;
  level: 'fleet' | 'group';
  scope: string;
  /** RevisionChange[] as JSON, without secrets. */
  changes: string;
  /** RolloutPlan as JSON. */
  plan: string;
  comment: string | null;
  createdAtMs: number;
  createdBy: string;
  state: RolloutKind;
  wave: number;
  reason: string | null;
  finishedAtMs: number | null;
  /** Of the level, when the change was taken over there. */
  revision: number | null;
};

export type RolloutDevicesTable = {
  rolloutId: string;
  deviceId: string;
  wave: number;
  state: RolloutDeviceKind;
  sinceMs: number;
  reason: string | null;
  falls: number;
  /** What it was like before, as JSON. */
  before: string;
};

export type CommandsTable = {
  id: string;
  deviceId: string;
  /** Of the device's commands, in the order in which they were stored: a clock may be set back. */
  number: number;
  kind: string;
  arguments: string;
  state: string;
  requestedBy: string;
  requestedAtMs: number;
  deadlineMs: number;
  finishedAtMs: number | null;
  detail: string;
  /** When the device began it, how long it had then been doing it, and how far it was, as it said last; null: it has said nothing of that. */
  begunAtMs: number | null;
  elapsedMs: number | null;
  progress: string | null;
  /** What the device found, as JSON; null where there is nothing of the kind. */
  lines: string | null;
  /** A list of recordings, as JSON; null where none was asked for, and for all but the newest lists of a device. */
  recordings: string | null;
  /** What was asked of several devices at once has one; null where it was asked of one. */
  batchId: string | null;
};

export type HistoryTable = {
  id: Generated<number>;
  deviceId: string;
  /** When it happened: see happened-at.ts. */
  atMs: number;
  /** When the server learnt of it; null: at that moment, or it is from before this was kept. */
  arrivedAtMs: number | null;
  origin: string;
  kind: string;
  detail: string;
  /** The device's own number of its event; null for entries that others made. */
  deviceNumber: number | null;
};

export type HealthSamplesTable = {
  deviceId: string;
  atMs: number;
  framesPerSecond: number | null;
  videoBitrateKbps: number | null;
  temperatureC: number | null;
  loadAverage1m: number | null;
  memoryAvailableBytes: number | null;
  /** Of the loudest channel. */
  audioRmsDbfs: number | null;
  audioVideoDriftMs: number | null;
};

export type AccessTokensTable = {
  id: string;
  name: string;
  tokenHash: string;
  personName: string;
  /** With spaces between them. */
  scopes: string;
  createdAtMs: number;
  expiresAtMs: number;
  lastUsedAtMs: number | null;
};

export type AuditLogTable = {
  id: Generated<number>;
  atMs: number;
  actor: string;
  action: string;
  subject: string;
  /** A list of field, before, after as JSON; secrets are masked before they come here. */
  changes: string;
};

/** Fleet servers on one database, and when each last said so, by the database's clock. */
export type ServersTable = {
  id: string;
  heartbeatAtMs: number;
  url: string;
  rtmpPort: number;
  /** What it says of its own relay: see servers/relay-health.ts. */
  relayKind: RelayReport['kind'];
  relayDetail: string;
};

/** What one server knows of a device and the others show: see LivePart, and servers-store.ts for how it is written. */
export type LiveDevicesTable = {
  deviceId: string;
  part: string;
  /** The one that the device is connected to, or that receives it. */
  serverId: string;
  /** Grows with each writing of that server. */
  version: number;
  /** JSON; null when there is nothing any more. */
  document: string | null;
};

export type AlertRulesTable = {
  id: string;
  /** AlertRule as JSON, its id among it. */
  document: string;
  createdAtMs: number;
};

export type AlertChannelsTable = {
  id: string;
  name: string;
  /** AlertTarget as JSON, sealed: it holds secrets. */
  target: string;
  createdAtMs: number;
  lastAttemptAtMs: number | null;
  lastProblem: string | null;
  /** What it was told of late (alerts/digest.ts), as JSON; empty: nothing. */
  told: string;
};

export type AlertsTable = {
  id: string;
  /** What it is about, as `decide.ts` names it; among those that are not resolved there is one of each. */
  key: string;
  ruleId: string;
  ruleName: string;
  severity: string;
  title: string;
  detail: string;
  deviceId: string | null;
  openedAtMs: number;
  acknowledgedAtMs: number | null;
  acknowledgedBy: string | null;
  /** How much time is left, as it was written last (alerts/escalations.ts); null: it is not to be escalated any more. */
  escalateInMs: number | null;
  escalatedAtMs: number | null;
  resolvedAtMs: number | null;
  /** Ids of channels that are told of it, with spaces between them. */
  toldChannels: string;
};

/** Open windows, those that are to come, and for a while those that are over. */
export type MaintenanceWindowsTable = {
  id: string;
  level: 'fleet' | 'group' | 'device';
  /** Empty for the fleet, else the group's name or the device's id. */
  scope: string;
  /** MaintenanceRequest as JSON. */
  document: string;
  createdAtMs: number;
  createdBy: string;
  /** When it can be open no more; null: it comes again. */
  overAtMs: number | null;
};

export type WatchdogPoliciesTable = {
  level: 'fleet' | 'group';
  scope: string;
  /** WatchdogPolicy as JSON. */
  document: string;
  changedAtMs: number;
  changedBy: string;
};

/** What is wrong by a rule and has lasted a while: since when, whether it is an alert yet or not. */
export type AlertPendingsTable = {
  /** As that of an alert. */
  key: string;
  sinceMs: number;
  /** The key of the alert that tells of it among others. */
  gatheredAs: string | null;
};

/** What is still to be told to whom: rows go when it was told, or in vain for too long. */
export type AlertNoticesTable = {
  id: string;
  alertId: string;
  channelId: string;
  event: string;
  /** AlertNotice as JSON. */
  document: string;
  createdAtMs: number;
  attempts: number;
  nextAttemptAtMs: number;
};

/** `atMs` is when the minute or the hour begins. */
export type HealthRollUpsTable = { deviceId: string; atMs: number } & RollUpColumns;

/** Everything before `upToMs` is rolled up, but for what `healthLate` names. */
/** `minutes-begun`: what a roll-up that has not come to its end goes up to. */
export type HealthProgressTable = { resolution: 'minutes' | 'minutes-begun' | 'hours'; upToMs: number };

/** Minutes to which samples came after they had been rolled up. */
export type HealthLateTable = { deviceId: string; minuteMs: number };

/** What is done once for each store. */
export type DoneOnceTable = { what: string };

export type SchemaVersionTable = { id: ColumnType<1, 1, never>; version: number };

/** One row: what tells the right key file from another, and nothing about the key. */
export type StoreKeyTable = { id: ColumnType<1, 1, never>; fingerprint: string };

export type Schema = {
  schemaVersion: SchemaVersionTable;
  storeKey: StoreKeyTable;
  people: PeopleTable;
  accessTokens: AccessTokensTable;
  auditLog: AuditLogTable;
  sessions: SessionsTable;
  joinTokens: JoinTokensTable;
  devices: DevicesTable;
  deviceStates: DeviceStatesTable;
  deviceBoards: DeviceBoardsTable;
  devicePositions: DevicePositionsTable;
  settings: SettingsTable;
  settingsRevisions: SettingsRevisionsTable;
  settingsRevisionChanges: SettingsRevisionChangesTable;
  settingsTrials: SettingsTrialsTable;
  settingsTrialDevices: SettingsTrialDevicesTable;
  rollouts: RolloutsTable;
  rolloutDevices: RolloutDevicesTable;
  commands: CommandsTable;
  history: HistoryTable;
  healthSamples: HealthSamplesTable;
  healthMinutes: HealthRollUpsTable;
  healthHours: HealthRollUpsTable;
  healthProgress: HealthProgressTable;
  healthLate: HealthLateTable;
  servers: ServersTable;
  doneOnce: DoneOnceTable;
  alertRules: AlertRulesTable;
  alertChannels: AlertChannelsTable;
  alerts: AlertsTable;
  alertNotices: AlertNoticesTable;
  alertPendings: AlertPendingsTable;
  liveDevices: LiveDevicesTable;
  maintenanceWindows: MaintenanceWindowsTable;
  watchdogPolicies: WatchdogPoliciesTable;
};

/** The store or a transaction in it: what every `*-store.ts` works on. */
export type Database = Kysely<Schema>;
