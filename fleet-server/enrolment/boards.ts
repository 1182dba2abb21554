/**
 * Which board a device runs on, and whether two boards use one device's identity: pure.
 *
 * A card that was moved to another board is heard from that board alone; one that was copied is heard from both. So another board is no
 * fault in itself: the proof is that the board on record is heard again after it.
 */
export type KnownBoard = {
  readonly boardId: string;
  readonly hostName: string;
  /** Since when it has been heard without a day's pause. */
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
};

export type BoardsMemory = {
  /** The board that the device belongs to; null before the first that says which it is. */
  readonly onRecord: string | null;
  readonly boards: readonly KnownBoard[];
  /** When it was last seen that two boards are at it; null: never. */
  readonly twiceSeenMs: number | null;
};

/**
 * `first`: now on record. `another`: not the one on record, which is not known to live. `moved`: it has taken the other's place. `twice`: two
 * boards are at it.
 */
export type BoardVerdict = 'first' | 'known' | 'another' | 'moved' | 'twice';

/** That two boards are at it is told for so long after it was last seen. */
export const twiceForMs = 600_000;
/** A board that is heard alone for so long has taken the other one's place. */
export const movedAfterMs = 86_400_000;
const maxBoards = 8;

/** Whether that is still told. What is further ahead of the clock was seen before it was set back. */
export function isStillTwice(twiceSeenMs: number | null, nowMs: number): twiceSeenMs is number {
  return twiceSeenMs !== null && Math.abs(nowMs - twiceSeenMs) < twiceForMs;
}

export function afterBoardSeen(
  stored: BoardsMemory,
  board: { readonly id: string; readonly hostName: string },
  nowMs: number,
): { readonly memory: BoardsMemory; readonly verdict: BoardVerdict } {
  const memory = withoutFuture(stored, nowMs);
  const { onRecord } = memory;
  const before = memory.boards.find(({ boardId }) => boardId === board.id);
  const isAnew = before === undefined || nowMs - before.lastSeenMs >= movedAfterMs;
  const seen = { boardId: board.id, hostName: board.hostName, firstSeenMs: isAnew ? nowMs : before.firstSeenMs, lastSeenMs: nowMs };
  const others = memory.boards.filter(({ boardId }) => boardId !== board.id);
  const next: BoardsMemory = { ...memory, boards: newest([...others, seen], onRecord) };
  if (onRecord === null) return { memory: { ...next, onRecord: board.id }, verdict: 'first' };
  if (onRecord === board.id) {
    const isTwice = others.some(({ lastSeenMs }) => nowMs - lastSeenMs < twiceForMs);
    return isTwice ? { memory: { ...next, twiceSeenMs: nowMs }, verdict: 'twice' } : { memory: next, verdict: 'known' };
  }
  if (isStillTwice(memory.twiceSeenMs, nowMs)) {
    return { memory: { ...next, twiceSeenMs: nowMs }, verdict: 'twice' };
  }
  const original = others.find(({ boardId }) => boardId === onRecord);
  const isAlone = nowMs - seen.firstSeenMs >= movedAfterMs && (original?.lastSeenMs ?? 0) <= seen.firstSeenMs;
  return isAlone ? { memory: { ...next, onRecord: board.id }, verdict: 'moved' } : { memory: next, verdict: 'another' };
}

/**
 * What is ahead of the clock, by more than the clocks of several servers may differ, was heard before it was set back: nobody knows when. It
 * counts as long enough ago to be no sign of two.
 */
function withoutFuture({ onRecord, boards, twiceSeenMs }: BoardsMemory, nowMs: number): BoardsMemory {
  const past = (atMs: number) => (atMs - nowMs >= twiceForMs ? nowMs - twiceForMs : atMs);
  const heard = boards.map((known) => ({ ...known, firstSeenMs: past(known.firstSeenMs), lastSeenMs: past(known.lastSeenMs) }));
  return { onRecord, boards: heard, twiceSeenMs: twiceSeenMs === null ? null : past(twiceSeenMs) };
}

/** The one on record always stays. */
function newest(boards: readonly KnownBoard[], onRecord: string | null): readonly KnownBoard[] {
  const ordered = boards.toSorted((a, b) => b.lastSeenMs - a.lastSeenMs);
  const kept = ordered.slice(0, maxBoards);
  const original = ordered.find(({ boardId }) => boardId === onRecord);
  return original === undefined || kept.includes(original) ? kept : [...kept.slice(0, maxBoards - 1), original];
}

/** Which boards are at it, in words; empty when none of them says which it is. */
export function describeBoards({ onRecord, boards }: BoardsMemory, nowMs: number): string {
  return boards
    .filter(({ boardId, lastSeenMs }) => boardId === onRecord || nowMs - lastSeenMs < twiceForMs)
    .map(({ boardId, hostName, lastSeenMs }) => {
      const whose = boardId === onRecord ? 'on record' : `the copy, last seen at ${new Date(lastSeenMs).toISOString()}`;
      return `board ${boardId} (${hostName}), ${whose}`;
    })
    .join('; ');
}
