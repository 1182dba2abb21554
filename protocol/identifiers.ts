/** Identifiers and the fields that every message shares. */
import { type Static, Type } from 'typebox';

/** Lower-case letters, digits and hyphens: safe in a topic, a path, a stream name and a URL. Made by the fleet server. */
export const DeviceId = Type.String({ pattern: '^[a-z0-9](?:[a-z0-9-]{1,38}[a-z0-9])$', description: 'Device id, 3 to 40 of a-z 0-9 -' });
export type DeviceId = Static<typeof DeviceId>;

const deviceIdPattern = /^[a-z0-9](?:[a-z0-9-]{1,38}[a-z0-9])$/;
export function isDeviceId(text: string): boolean {
  return deviceIdPattern.test(text);
}

/** What tells one board from others: drawn by the device from its maker's serial number. */
export const BoardId = Type.String({ pattern: '^[0-9a-f]{16}$', description: 'Of a board, 16 hexadecimal digits' });

const word = '^[a-z0-9][a-z0-9-]{0,39}$';
/** A group of devices shares settings; a tag only finds devices. */
export const GroupName = Type.String({ pattern: word, description: 'Up to 40 of a-z 0-9 -' });
export const Tag = Type.String({ pattern: word, description: 'Up to 40 of a-z 0-9 -' });

/** One MQTT connection of one device. The counter is kept on disk and only grows; a new boot id with an old counter is a cloned card. */
export const Session = Type.Object({
  bootId: Type.String({ minLength: 1, maxLength: 64 }),
  counter: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
});
export type Session = Static<typeof Session>;

const longestBootId = 40;

/** What a connection goes under whose number is on no disk: a boot id of its own, out of which `bootOf` reads the boot. */
export function unkeptBootId(bootId: string, counter: number): string {
  return `${bootId.slice(0, longestBootId)}-${counter}`;
}

/** The boot behind a connection, whether its number could be kept or not. */
export function bootOf({ bootId, counter }: Session): string {
  const unkept = `-${counter}`;
  return (bootId.endsWith(unkept) ? bootId.slice(0, -unkept.length) : bootId).slice(0, longestBootId);
}

export const CommandId = Type.String({ pattern: '^[a-z0-9-]{8,64}$' });
export type CommandId = Static<typeof CommandId>;

/** UTC, RFC 3339, as `Date.prototype.toISOString` writes it. */
export const Timestamp = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(?:\\.\\d{1,9})?Z$' });

/** One change a second for thirty thousand years: what is above is no revision, and a revision below can be counted on. */
export const maxRevision = 1_000_000_000_000;
export const Revision = Type.Integer({ minimum: 0, maximum: maxRevision });
/** Lower-case hexadecimal SHA-256. */
export const Digest = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** A sentence for people, bounded so that no peer can fill a table or a screen with one. */
export const Reason = Type.String({ maxLength: 500 });
