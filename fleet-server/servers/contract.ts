/**
 * Several fleet servers on one database, and what they tell each other.
 *
 * INVARIANT: a message between servers only wakes. What is true stands in the tables, and everybody looks there now and then
 * without being woken: a message that is lost costs seconds, never a change.
 */
import { type Static, Type } from 'typebox';
import { GroupName } from '#protocol/identifiers.ts';
import { Change } from '#protocol/model/change.ts';

const DeviceId = Type.String({ maxLength: 64 });

export const ServerMessage = Type.Union([
  /** Something changed that listeners of every server are told of. */
  Type.Object({ kind: Type.Literal('change'), change: Change }),
  /** There is a command for a device that is not connected to the sender. */
  Type.Object({ kind: Type.Literal('command'), deviceId: DeviceId }),
  /** Devices under this level have a new revision. */
  Type.Object({ kind: Type.Literal('settings'), level: Type.Enum(['fleet', 'group', 'device']), scope: Type.String({ maxLength: 100 }) }),
  /** A device joined, was changed or was removed. */
  Type.Object({ kind: Type.Literal('device'), deviceId: DeviceId }),
  /** A group is called otherwise now, and all that is kept under its name. */
  Type.Object({ kind: Type.Literal('group-renamed'), from: GroupName, to: GroupName }),
  /** So many were changed that they are not named. */
  Type.Object({ kind: Type.Literal('devices') }),
  /** The sender has written down what is new of its devices. */
  Type.Object({ kind: Type.Literal('live') }),
]);
export type ServerMessage = Static<typeof ServerMessage>;

export type FleetServers = {
  /** Of this life of this server. */
  readonly id: string;
  /** No other server can be on the same database. */
  readonly isAlone: boolean;
  /** Whether this one does what is done at one server alone: timed jobs and the watchdog. */
  isLeader(): boolean;
  tell(message: ServerMessage): void;
  /** What another server told. */
  onTold(listener: (message: ServerMessage) => void): void;
  /** Messages may have been missed. */
  onGap(listener: () => void): void;
};

/** A server that has its database to itself. */
export function aloneOnDatabase(id: string): FleetServers {
  return { id, isAlone: true, isLeader: () => true, tell: () => {}, onTold: () => {}, onGap: () => {} };
}
