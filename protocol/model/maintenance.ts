/** Maintenance windows: while one is open, the watchdog does nothing to its devices and no alert is opened about them. */
import { type Static, Type } from 'typebox';
import { DeviceId, GroupName, Timestamp } from '#protocol/identifiers.ts';

const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);
const TimeOfDay = Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$' });

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export const Weekday = Type.Enum([...weekdays]);
export type Weekday = Static<typeof Weekday>;

export const MaintenanceScope = Type.Union([
  Type.Object({ kind: Type.Literal('fleet') }),
  Type.Object({ kind: Type.Literal('group'), name: GroupName }),
  Type.Object({ kind: Type.Literal('device'), id: DeviceId }),
]);
export type MaintenanceScope = Static<typeof MaintenanceScope>;

export const MaintenanceSchedule = Type.Union([
  Type.Object({ kind: Type.Literal('once'), from: Timestamp, to: Timestamp }),
  /** `to` at or before `from` is on the next day. */
  Type.Object({
    kind: Type.Literal('weekly'),
    days: Type.Array(Weekday, { minItems: 1, maxItems: 7, uniqueItems: true, description: 'On which it begins' }),
    from: TimeOfDay,
    to: TimeOfDay,
    timeZone: Type.String({ minLength: 1, maxLength: 64, description: 'Such as Europe/Berlin' }),
  }),
]);
export type MaintenanceSchedule = Static<typeof MaintenanceSchedule>;

export const MaintenanceRequest = Type.Object({
  scope: MaintenanceScope,
  schedule: MaintenanceSchedule,
  reason: Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\u0000-\\u001f]+$' }),
});
export type MaintenanceRequest = Static<typeof MaintenanceRequest>;

export const MaintenanceWindow = Type.Object({
  id: Type.String(),
  ...MaintenanceRequest.properties,
  createdAt: Timestamp,
  createdBy: Type.String(),
  /** When what is open now ends; null: it is not open now. */
  openUntil: Nullable(Timestamp),
});
export type MaintenanceWindow = Static<typeof MaintenanceWindow>;
export const MaintenanceWindowList = Type.Object({ windows: Type.Array(MaintenanceWindow) });
export type MaintenanceWindowList = Static<typeof MaintenanceWindowList>;

/** Of a device: the open window that ends last. */
export const DeviceMaintenance = Type.Object({ windowId: Type.String(), until: Timestamp, reason: Type.String() });
export type DeviceMaintenance = Static<typeof DeviceMaintenance>;
