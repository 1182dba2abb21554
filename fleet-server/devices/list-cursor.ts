/** The `next` of a page: where in which order it ended, so that the same order goes on there. Pure. */
import { Type } from 'typebox';
import { Check } from 'typebox/value';
import type { ListOrder, ListPosition } from '#fleet-server/devices/device-list.ts';
import { FleetError } from '#fleet-server/errors.ts';
import { DeviceSort } from '#protocol/model/device.ts';

const Cursor = Type.Tuple([DeviceSort, Type.Boolean(), Type.Union([Type.Number(), Type.Null()]), Type.String(), Type.String()]);

export function writeCursor({ sort, isDescending }: ListOrder, { value, name, id }: ListPosition): string {
  return Buffer.from(JSON.stringify([sort, isDescending, value, name, id])).toString('base64url');
}

export function readCursor(text: string, { sort, isDescending }: ListOrder): ListPosition {
  const cursor = parse(text);
  if (cursor === null) throw wrongAfter('the next of an earlier page', 'something else');
  const [itsSort, itsDescending, value, name, id] = cursor;
  if (itsSort !== sort || itsDescending !== isDescending) {
    throw wrongAfter(`the next of an earlier page in this order, ${words(sort, isDescending)}`, `one by ${words(itsSort, itsDescending)}`);
  }
  return { value, name, id };
}

function words(sort: string, isDescending: boolean): string {
  return isDescending ? `${sort}, descending` : sort;
}

function parse(text: string) {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return Check(Cursor, value) ? value : null;
  } catch {
    return null;
  }
}

function wrongAfter(expected: string, came: string): FleetError {
  return new FleetError('wrong-fields', `Expected in after ${expected}, got ${came}.`, {
    problems: [{ key: 'querystring/after', expected, came }],
  });
}
