/** Settings as the API and the dashboard see them. */
import { type Static, Type } from 'typebox';
import { Revision, Timestamp } from '#protocol/identifiers.ts';
import { SettingLevel, SettingValue } from '#protocol/settings.ts';

const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);

/** A secret is never answered: `isSet` and the time at which it was set are all that is shown. */
export const ShownValue = Type.Union([
  Type.Object({ kind: Type.Literal('plain'), value: SettingValue }),
  Type.Object({ kind: Type.Literal('secret'), setAt: Nullable(Timestamp) }),
]);
export type ShownValue = Static<typeof ShownValue>;

export const DeviceSetting = Type.Object({
  key: Type.String(),
  /** What will be in force when the device has applied the newest revision, and the level that it comes from. */
  desired: Nullable(ShownValue),
  desiredLevel: SettingLevel,
  /** What the device last said is in force, and from which level; null before its first report. */
  inForce: Nullable(ShownValue),
  inForceLevel: Nullable(SettingLevel),
  state: Type.Enum(['applied', 'pending', 'refused']),
  /** Why it was refused. */
  reason: Nullable(Type.String()),
  /** What each server level sets, strongest last. */
  levels: Type.Object({
    fleet: Type.Optional(ShownValue),
    group: Type.Optional(ShownValue),
    device: Type.Optional(ShownValue),
  }),
});
export type DeviceSetting = Static<typeof DeviceSetting>;

export const DeviceSettings = Type.Object({
  state: Type.Enum(['applied', 'pending', 'refused']),
  desiredRevision: Revision,
  appliedRevision: Revision,
  reason: Nullable(Type.String()),
  settings: Type.Array(DeviceSetting),
});
export type DeviceSettings = Static<typeof DeviceSettings>;

/** What is set at the level of the fleet or of one group. */
export const LevelSettings = Type.Object({
  level: Type.Enum(['fleet', 'group']),
  scope: Type.String(),
  settings: Type.Array(Type.Object({ key: Type.String(), value: ShownValue, setAt: Timestamp, setBy: Type.String() })),
});
export type LevelSettings = Static<typeof LevelSettings>;

/** Keys with their new values; null unsets. */
export const SettingsPatch = Type.Record(Type.String({ minLength: 1, maxLength: 64 }), Type.Union([SettingValue, Type.Null()]), {
  minProperties: 1,
  maxProperties: 100,
});
export type SettingsPatch = Static<typeof SettingsPatch>;
