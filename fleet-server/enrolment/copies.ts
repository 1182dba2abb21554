/**
 * Two boards with one device's identity: noticed, told, and told apart where the copy can join anew.
 *
 * INVARIANT: what is asked of the copy names the board that stays. Whichever of the two gets it, the original refuses.
 */
import type { FastifyInstance } from 'fastify';
import { theServer } from '#fleet-server/audit/audit-log.ts';
import type { Clock } from '#fleet-server/clock.ts';
import { findDevice, findStoredDevice } from '#fleet-server/devices/devices-store.ts';
import type { LiveDevice } from '#fleet-server/devices/live-device.ts';
import {
  afterBoardSeen,
  type BoardsMemory,
  type BoardVerdict,
  describeBoards,
  isStillTwice,
  movedAfterMs,
} from '#fleet-server/enrolment/boards.ts';
import { readBoards, writeBoards } from '#fleet-server/enrolment/boards-store.ts';
import { BootIds } from '#fleet-server/enrolment/boot-ids.ts';
import { deviceNotFound, FleetError } from '#fleet-server/errors.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import { bootOf, type Session } from '#protocol/identifiers.ts';
import type { BoardIdentity } from '#protocol/messages.ts';
import type { CopyAnswer, CopyRequest } from '#protocol/model/enrolment.ts';

/** A device that says nothing new is not written down at each of its connections. */
const refreshMs = 60_000;
/** The copy is asked to leave at most this often. */
const askMs = 60_000;
const unnamed = 'Neither says which board it is: their agents are older, or the boards have no serial number.';

type Seen = { readonly memory: BoardsMemory; readonly verdict: BoardVerdict; readonly isNews: boolean };

export class Copies {
  readonly #app: FastifyInstance;
  readonly #clock: Clock;
  readonly #boots = new BootIds();
  readonly #asked = new Map<string, number>();

  constructor(app: FastifyInstance, clock: Clock) {
    this.#app = app;
    this.#clock = clock;
  }

  /** A device has said who it is. */
  async onHello(deviceId: string, session: Session, board: BoardIdentity | undefined): Promise<void> {
    const hasReturned = this.#boots.hasReturned(deviceId, bootOf(session), this.#clock.nowMs());
    if (board === undefined) {
      if (hasReturned) await this.#noteUnnamed(deviceId);
      return;
    }
    const live = this.#app.devices.get(deviceId);
    // A whole fleet says hello at once after a restart: of nearly all there is nothing to read and nothing to write.
    if (live?.boardId === board.id && live.otherBoardSeenMs === null) return;
    const seen = await this.#note(deviceId, board, null);
    if (seen === null) return;
    await this.#tell(deviceId, board, seen);
    if (seen.verdict === 'twice' && seen.memory.onRecord !== board.id) await this.#askToLeave(deviceId, seen.memory.onRecord);
  }

  /** A board that found another one's credential on its card, and does not connect with it, asks what it is. */
  async judge({ deviceId, credential, board }: CopyRequest): Promise<CopyAnswer> {
    const { devices } = this.#app;
    if (!devices.rights.authenticate(deviceId, credential)) throw new FleetError('not-allowed', 'Expected the credential of this device.');
    const seen = await this.#note(deviceId, board, devices.get(deviceId) ?? null);
    if (seen === null) throw deviceNotFound(deviceId);
    await this.#tell(deviceId, board, seen);
    return { verdict: seen.memory.onRecord === board.id ? 'take-over' : 'wait' };
  }

  /** A person says that the card was moved to a board that was heard. */
  async move(deviceId: string, boardId: string, actor: string): Promise<void> {
    const app = this.#app;
    await inTransaction(app.store.database, async (transaction) => {
      const [device, before] = [await findDevice(transaction, deviceId), await readBoards(transaction, deviceId)];
      if (device === undefined || before === undefined) throw deviceNotFound(deviceId);
      if (!before.boards.some((board) => board.boardId === boardId)) {
        throw new FleetError('not-found', 'Expected the id of a board that was heard under the name of this device.');
      }
      // Whatever the former one said is of the past: heard once more, it is the copy.
      const boards = before.boards.filter((board) => board.boardId === boardId);
      await writeBoards(transaction, deviceId, { onRecord: boardId, boards, twiceSeenMs: null }, null);
      const changes = [{ field: 'board', before: before.onRecord, after: boardId }];
      await app.audit.append(transaction, { actor, action: 'device-board-changed', subject: deviceId, changes });
    });
    await this.#reload(deviceId);
    const detail = `${actor} said that its card was moved to the board ${boardId}.`;
    await app.history.append({ deviceId, origin: 'person', kind: 'board-changed', detail });
  }

  /** `original`: given where the asking board is not connected as the device, so that who is connected is the one on record. */
  async #note(deviceId: string, board: BoardIdentity, original: LiveDevice | null): Promise<Seen | null> {
    const nowMs = this.#clock.nowMs();
    const seen = await inTransaction(this.#app.store.database, async (transaction) => {
      const read = await readBoards(transaction, deviceId);
      if (read === undefined) return null;
      const before = original === null ? read : withOriginal(read, original, nowMs);
      const after = afterBoardSeen(before, { id: board.id, hostName: board.hostName }, nowMs);
      const isCopyWaiting = original !== null && after.memory.onRecord !== board.id;
      const memory = isCopyWaiting ? { ...after.memory, twiceSeenMs: nowMs } : after.memory;
      const verdict = isCopyWaiting ? 'twice' : after.verdict;
      if (verdict === 'known' && !isWorthWriting(read, board, nowMs)) return { memory, verdict, isNews: false };
      const isTwice = verdict === 'twice';
      const isBegun = isStillTwice(read.twiceSeenMs, nowMs);
      const isNews = isTwice ? !isBegun : !isHeardOfLate(read, board, nowMs);
      const device = await findDevice(transaction, deviceId);
      const sinceMs = isBegun ? (device?.twiceSinceMs ?? nowMs) : nowMs;
      const former = device?.twiceSinceMs == null ? null : { sinceMs: device.twiceSinceMs, detail: device.twiceDetail };
      await writeBoards(transaction, deviceId, memory, isTwice ? { sinceMs, detail: describeBoards(memory, nowMs).slice(0, 500) } : former);
      return { memory, verdict, isNews };
    });
    if (seen !== null && seen.verdict !== 'known') await this.#reload(deviceId);
    return seen;
  }

  async #noteUnnamed(deviceId: string): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const isNews = await inTransaction(this.#app.store.database, async (transaction) => {
      const [device, read] = [await findDevice(transaction, deviceId), await readBoards(transaction, deviceId)];
      if (device === undefined || read === undefined) return false;
      const isFirst = !isStillTwice(read.twiceSeenMs, nowMs);
      const sinceMs = isFirst ? nowMs : (device.twiceSinceMs ?? nowMs);
      await writeBoards(transaction, deviceId, { ...read, twiceSeenMs: nowMs }, { sinceMs, detail: unnamed });
      return isFirst;
    });
    await this.#reload(deviceId);
    if (isNews)
      await this.#app.history.append({ deviceId, origin: 'server', kind: 'joined-twice', detail: `Two boards are at it. ${unnamed}` });
  }

  async #tell(deviceId: string, board: BoardIdentity, { verdict, isNews, memory }: Seen): Promise<void> {
    const { history, log } = this.#app;
    const name = `${board.id} (${board.hostName})`;
    if (verdict === 'another' && isNews) {
      const detail = `It came from another board than before, ${name}: its card was moved, or copied.`;
      await history.append({ deviceId, origin: 'server', kind: 'board-differs', detail });
    } else if (verdict === 'moved') {
      const detail = `For a day it was heard from the board ${name} alone: its card was moved there.`;
      await history.append({ deviceId, origin: 'server', kind: 'board-changed', detail });
    } else if (verdict === 'twice' && isNews) {
      log.warn({ deviceId, boards: memory.boards.length }, 'two boards use the identity of one device');
      const detail = `Two boards are at it: ${describeBoards(memory, this.#clock.nowMs())}`;
      await history.append({ deviceId, origin: 'server', kind: 'joined-twice', detail });
    }
  }

  async #askToLeave(deviceId: string, original: string | null): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    if (original === null || nowMs - (this.#asked.get(deviceId) ?? Number.NEGATIVE_INFINITY) < askMs) return;
    this.#asked.set(deviceId, nowMs);
    for (const [id, atMs] of this.#asked) if (nowMs - atMs >= askMs) this.#asked.delete(id);
    await this.#app.commands
      .request({ deviceId, kind: 'join-anew', arguments: { boardId: original }, requestedBy: theServer, isServersOwn: true })
      .catch((err: unknown) => this.#app.log.warn({ err, deviceId }, 'a copied card could not be asked to join anew'));
  }

  async #reload(deviceId: string): Promise<void> {
    const stored = await findStoredDevice(this.#app.store.database, deviceId);
    if (stored !== undefined) this.#app.devices.update(stored);
    this.#app.servers.tell({ kind: 'device', deviceId });
  }
}

function isHeardOfLate({ boards }: BoardsMemory, { id }: BoardIdentity, nowMs: number): boolean {
  return boards.some(({ boardId, lastSeenMs }) => boardId === id && nowMs - lastSeenMs < movedAfterMs);
}

function isWorthWriting(read: BoardsMemory, board: BoardIdentity, nowMs: number): boolean {
  const before = read.boards.find(({ boardId }) => boardId === board.id);
  return before === undefined || before.hostName !== board.hostName || Math.abs(nowMs - before.lastSeenMs) >= refreshMs;
}

/** The board on record was heard when the device was. */
function withOriginal(memory: BoardsMemory, { presence, heardAtMs }: LiveDevice, nowMs: number): BoardsMemory {
  const atMs = presence.state === 'online' ? nowMs : (heardAtMs ?? 0);
  const boards = memory.boards.map((known) =>
    known.boardId === memory.onRecord ? { ...known, lastSeenMs: Math.max(known.lastSeenMs, atMs) } : known,
  );
  return { ...memory, boards };
}
