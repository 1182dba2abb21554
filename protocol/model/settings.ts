/** Settings as the API and the dashboard see them. */
import { type Static, Type } from 'typebox';
import { DeviceId, Revision, Timestamp } from '#protocol/identifiers.ts';
import { FieldProblem } from '#protocol/model/problem.ts';
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
  state: Type.Enum(['applied', 'pending', 'refused', 'drifted']),
  /** Since when the device reports something else than it confirmed. */
  driftedSince: Nullable(Timestamp),
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

/** What one revision did to one key; null: not set at this level. */
export const RevisionChange = Type.Object({ key: Type.String(), before: Nullable(ShownValue), after: Nullable(ShownValue) });
export type RevisionChange = Static<typeof RevisionChange>;

/** A change at one level, numbered from 1 there. */
export const SettingsRevision = Type.Object({
  number: Revision,
  at: Timestamp,
  by: Type.String(),
  comment: Nullable(Type.String()),
  /** The number of the revision that it took back. */
  undoes: Nullable(Revision),
  changes: Type.Array(RevisionChange),
});
export type SettingsRevision = Static<typeof SettingsRevision>;

export const RevisionPage = Type.Object({
  revisions: Type.Array(SettingsRevision),
  /** Give it as `before` for the next, older page; null at the end. */
  next: Nullable(Revision),
});
export type RevisionPage = Static<typeof RevisionPage>;

export const Comment = Type.String({ maxLength: 300, description: 'Why' });

export const UndoRequest = Type.Object(
  {
    /** Also what was changed again since. */
    override: Type.Optional(Type.Boolean()),
    comment: Type.Optional(Comment),
  },
  { additionalProperties: false },
);
export type UndoRequest = Static<typeof UndoRequest>;

const LevelValue = Type.Object({ value: Nullable(ShownValue), level: SettingLevel });

/** `value`: another value is in force; `level`: the same one, from another level; `none`: a stronger level says otherwise. */
export const PreviewedChange = Type.Object({
  key: Type.String(),
  from: LevelValue,
  to: LevelValue,
  effect: Type.Enum(['value', 'level', 'none']),
});
export type PreviewedChange = Static<typeof PreviewedChange>;

/** What a patch would do; nothing of it is stored. */
export const SettingsPreview = Type.Object({
  /** At the level itself. */
  changes: Type.Array(RevisionChange),
  /** Devices under the level, and those among them on which another value would be in force. */
  deviceCount: Type.Integer(),
  touchedCount: Type.Integer(),
  /** A page of them by name: those that are touched before the others. */
  devices: Type.Array(Type.Object({ id: DeviceId, name: Type.String(), isOnline: Type.Boolean(), changes: Type.Array(PreviewedChange) })),
  /** Give it as `skip` for the devices after these; null at the end. */
  next: Nullable(Type.Integer()),
  /** With one of these nothing would be saved. */
  problems: Type.Array(FieldProblem),
});
export type SettingsPreview = Static<typeof SettingsPreview>;
