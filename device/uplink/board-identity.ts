/**
 * What tells this board from every other one: a serial number that its maker gave it, hashed, so that it tells nothing else.
 *
 * A copied card brings its machine id, its keys and its credential along; the serial number stays with the board. The address of a network
 * card is none: an adapter moves from board to board.
 */
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import type { BoardIdentity } from '#protocol/messages.ts';

/** The first that says something; the last two are readable by root alone. */
const places = ['/proc/device-tree/serial-number', '/sys/class/dmi/id/product_uuid', '/sys/class/dmi/id/board_serial'];
/** What makers write there who gave it none. */
const placeholder = /^(?:[0f .-]*|none|default string|to be filled.*|not specified|not applicable|(?:system )?serial number|123456789.*)$/i;
const shortest = 6;
const idLength = 16;

export type BoardIdentitySource = {
  /** Null for what is not there or cannot be read. */
  readonly readFile: (path: string) => Promise<string | null>;
  /** AGENT_BOARD_ID: for machines whose maker gave them none. */
  readonly given: string | null;
};

/** Null: this machine cannot be told from others. */
export async function readBoardIdentity({ readFile, given }: BoardIdentitySource): Promise<BoardIdentity | null> {
  const serial = given ?? (await firstSerial(readFile));
  if (serial === null) return null;
  const id = createHash('sha256').update(`board ${serial}`).digest('hex').slice(0, idLength);
  return { id, hostName: hostname().slice(0, 80) };
}

async function firstSerial(readFile: BoardIdentitySource['readFile']): Promise<string | null> {
  for (const path of places) {
    const text = (await readFile(path))?.replaceAll('\0', '').trim() ?? '';
    if (text.length >= shortest && !placeholder.test(text)) return text.toLowerCase();
  }
  return null;
}
