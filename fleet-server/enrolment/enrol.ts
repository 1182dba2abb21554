/** A device joins: a join token against an id and a credential of its own. */
import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Clock } from '#fleet-server/clock.ts';
import { insertDevice, isBoardBlocked, unheardState } from '#fleet-server/devices/devices-store.ts';
import type { JoinTokens } from '#fleet-server/enrolment/join-tokens.ts';
import { FleetError } from '#fleet-server/errors.ts';
import type { DevicesTable } from '#fleet-server/store/schema.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import type { EnrolmentAnswer, EnrolmentRequest } from '#protocol/model/enrolment.ts';

/** Crockford's base32 in lower case: no letter that looks like a digit. 32 letters, so that a byte modulo 32 is even. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const idLetters = 10;

export function makeDeviceId(bytes: Uint8Array = randomBytes(idLetters)): string {
  return `d-${[...bytes].map((byte) => alphabet[byte % alphabet.length]).join('')}`;
}

export async function enrol(
  app: FastifyInstance,
  joinTokens: JoinTokens,
  clock: Clock,
  request: EnrolmentRequest,
): Promise<EnrolmentAnswer> {
  const credential = randomBytes(32).toString('base64url');
  const blank: Omit<DevicesTable, 'groupName' | 'tags' | 'waitingSinceMs'> = {
    id: makeDeviceId(),
    name: request.name.trim() === '' ? 'device' : request.name.trim(),
    joinedAtMs: clock.nowMs(),
    blockedSinceMs: null,
    boardId: null,
    otherBoardSeenMs: null,
    twiceSinceMs: null,
    twiceSeenMs: null,
    twiceDetail: '',
    credentialHash: app.devices.rights.credentialHash(credential).toString('hex'),
    nextCredentialHash: null,
    nextCredentialSealed: null,
    keyGeneration: 1,
    desiredRevision: 0,
    desiredDigest: '',
    appliedRevision: 0,
    appliedAtMs: null,
    outcomeRevision: 0,
    outcome: null,
    refusals: '[]',
    eventsUpTo: 0,
    driftedSinceMs: null,
    driftedKeys: '',
    driftRepairs: 0,
    driftRepairAtMs: null,
  };
  const device = await inTransaction(app.store.database, async (transaction) => {
    const { group, tags, needsApproval, id: joinTokenId } = await joinTokens.redeem(transaction, request.joinToken);
    const { boardId } = request;
    // Told to nobody without a token; its use is given back with the transaction.
    if (boardId !== undefined && (await isBoardBlocked(transaction, boardId))) {
      throw new FleetError('board-blocked', 'A device on this board is blocked: let that one in again, or remove it.');
    }
    const row: DevicesTable = {
      ...blank,
      groupName: group,
      tags,
      waitingSinceMs: needsApproval ? blank.joinedAtMs : null,
    };
    await insertDevice(transaction, row);
    await app.settings.refreshDevice(transaction, row.id);
    const changes = [
      { field: 'name', before: null, after: row.name },
      { field: 'group', before: null, after: group },
      ...(tags === '' ? [] : [{ field: 'tags', before: null, after: tags.trim() }]),
      ...(needsApproval ? [{ field: 'approval', before: null, after: 'waits' }] : []),
    ];
    await app.audit.append(transaction, { actor: `the join token ${joinTokenId}`, action: 'device-joined', subject: row.id, changes });
    return { ...row, ...unheardState };
  });
  app.devices.add(device);
  app.servers.tell({ kind: 'device', deviceId: device.id });
  app.changes.publish({ subject: 'join-tokens' });
  const waits = device.waitingSinceMs === null ? '' : ' It waits for approval: until then it has no settings and no stream key.';
  await app.history.append({ deviceId: device.id, origin: 'server', kind: 'joined', detail: `Joined as ${device.name}.${waits}` });
  await app.broker.admit(device.id, credential).catch((err: unknown) => {
    // It has joined all the same: refused by the broker, it shows its credential again (connection-routes.ts).
    app.log.warn({ err, deviceId: device.id }, 'the MQTT broker could not be told of a new device');
  });
  return { deviceId: device.id, credential, ...(app.broker.deviceUrl === null ? {} : { mqttUrl: app.broker.deviceUrl }) };
}
