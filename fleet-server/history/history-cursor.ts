/** The `next` of a page of a history: where it ended. Pure. */
import { Type } from 'typebox';
import { Check } from 'typebox/value';
import { FleetError } from '#fleet-server/errors.ts';
import type { HistoryPlace } from '#fleet-server/history/history-store.ts';

const whole = Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER });
const Cursor = Type.Tuple([whole, whole, whole]);

export function writeHistoryCursor({ atMs, number, id }: HistoryPlace): string {
  return Buffer.from(JSON.stringify([atMs, number, id])).toString('base64url');
}

export function readHistoryCursor(text: string): HistoryPlace {
  const value = parse(text);
  if (!Check(Cursor, value)) {
    const [expected, came] = ['the next of an earlier page', 'something else'];
    throw new FleetError('wrong-fields', `Expected in after ${expected}, got ${came}.`, {
      problems: [{ key: 'querystring/after', expected, came }],
    });
  }
  const [atMs, number, id] = value;
  return { atMs, number, id };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
