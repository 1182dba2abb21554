/** Alerts: what they watch for, who is told, and what is wrong now. */
import { type Static, Type } from 'typebox';
import { DeviceId, Timestamp } from '#protocol/identifiers.ts';

const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);
const Name = Type.String({ minLength: 1, maxLength: 80, pattern: '^[^\\u0000-\\u001f]+$' });
const Id = Type.String({ minLength: 1, maxLength: 64 });
const DurationS = Type.Integer({ minimum: 0, maximum: 86_400 });
const Clock = Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$' });

export const AlertSeverity = Type.Enum(['info', 'warning', 'critical']);
export type AlertSeverity = Static<typeof AlertSeverity>;

/** What an alert is about. `conditions`: any of these codes; empty: any condition of at least this severity. */
export const AlertTrigger = Type.Union([
  Type.Object({ kind: Type.Literal('offline') }),
  Type.Object({
    kind: Type.Literal('condition'),
    conditions: Type.Array(Type.String({ pattern: '^[a-z0-9-]{1,64}$' }), { maxItems: 32 }),
    severity: AlertSeverity,
  }),
  Type.Object({ kind: Type.Literal('relay-down') }),
  /** Of a fleet whose MQTT broker is not the fleet server itself. */
  Type.Object({ kind: Type.Literal('broker-down') }),
]);
export type AlertTrigger = Static<typeof AlertTrigger>;

/** Between these times of day nobody is told; what is still wrong at their end is told then. */
export const QuietHours = Type.Object({ from: Clock, to: Clock, timeZone: Type.String({ minLength: 1, maxLength: 64 }) });
export type QuietHours = Static<typeof QuietHours>;

export const AlertRuleRequest = Type.Object({
  name: Name,
  trigger: AlertTrigger,
  /** How long it must have lasted. */
  forS: DurationS,
  severity: AlertSeverity,
  /** Only devices of this group; null: all. */
  group: Nullable(Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,39}$' })),
  enabled: Type.Boolean(),
  channelIds: Type.Array(Id, { maxItems: 16 }),
  quietHours: Nullable(QuietHours),
  /** Told to these when nobody has acknowledged it for so long; null: never. */
  escalation: Nullable(
    Type.Object({ afterS: Type.Integer({ minimum: 60, maximum: 86_400 }), channelIds: Type.Array(Id, { minItems: 1, maxItems: 16 }) }),
  ),
});
export type AlertRuleRequest = Static<typeof AlertRuleRequest>;

export const AlertRule = Type.Object({ id: Id, ...AlertRuleRequest.properties });
export type AlertRule = Static<typeof AlertRule>;
export const AlertRuleList = Type.Object({ rules: Type.Array(AlertRule) });
export type AlertRuleList = Static<typeof AlertRuleList>;

const HttpAddress = Type.String({ minLength: 8, maxLength: 1024, pattern: '^https?://[^\\s]+$' });
const MailAddress = Type.String({ maxLength: 254, pattern: '^[^\\s@<>,;:"]+@[^\\s@<>,;:"]+$' });
const Secret = Type.String({ minLength: 1, maxLength: 1024, pattern: '^[^\\u0000-\\u001f]+$' });

/** Who is told, and how. Secrets can be set and replaced, never read back. */
export const AlertTarget = Type.Union([
  /** A POST of JSON; with a secret its HMAC-SHA256 stands in `X-MakeSpaceLive-Signature`. */
  Type.Object({ kind: Type.Literal('webhook'), url: HttpAddress, secret: Type.Optional(Secret) }),
  /** https://docs.ntfy.sh/publish/ */
  Type.Object({ kind: Type.Literal('ntfy'), url: HttpAddress, token: Type.Optional(Secret) }),
  Type.Object({
    kind: Type.Literal('email'),
    host: Type.String({ minLength: 1, maxLength: 253, pattern: '^[A-Za-z0-9.:-]+$' }),
    port: Type.Integer({ minimum: 1, maximum: 65_535 }),
    /** From the first byte (port 465). Otherwise the connection is made secure as soon as the server offers it. */
    secure: Type.Boolean(),
    from: MailAddress,
    to: Type.Array(MailAddress, { minItems: 1, maxItems: 20 }),
    user: Type.Optional(Type.String({ maxLength: 254 })),
    password: Type.Optional(Secret),
  }),
]);
export type AlertTarget = Static<typeof AlertTarget>;

export const AlertChannelRequest = Type.Object({ name: Name, target: AlertTarget });
export type AlertChannelRequest = Static<typeof AlertChannelRequest>;

export const AlertChannel = Type.Object({
  id: Id,
  name: Name,
  /** Without its secrets; of a web address the origin and a hint. */
  target: AlertTarget,
  /** What became of the last attempt; null before the first. */
  lastAttempt: Nullable(Type.Object({ at: Timestamp, problem: Nullable(Type.String()) })),
});
export type AlertChannel = Static<typeof AlertChannel>;
export const AlertChannelList = Type.Object({ channels: Type.Array(AlertChannel) });
export type AlertChannelList = Static<typeof AlertChannelList>;

export const AlertState = Type.Enum(['open', 'acknowledged', 'resolved']);
export type AlertState = Static<typeof AlertState>;

export const Alert = Type.Object({
  id: Id,
  ruleName: Type.String(),
  severity: AlertSeverity,
  state: AlertState,
  title: Type.String(),
  detail: Type.String(),
  /** Null: it is not about one device. */
  deviceId: Nullable(DeviceId),
  openedAt: Timestamp,
  acknowledgedAt: Nullable(Timestamp),
  acknowledgedBy: Nullable(Type.String()),
  escalatedAt: Nullable(Timestamp),
  resolvedAt: Nullable(Timestamp),
});
export type Alert = Static<typeof Alert>;
export const AlertList = Type.Object({
  alerts: Type.Array(Alert),
  /** For `after` of the next page; null: there are no older ones. */
  next: Nullable(Type.String()),
});
export type AlertList = Static<typeof AlertList>;

/** Why an alert is over: it has recovered; or nobody watches it any more, and it may not have. */
export const AlertEnd = Type.Enum(['recovered', 'rule-off', 'rule-removed', 'not-watched', 'device-removed', 'device-blocked']);
export type AlertEnd = Static<typeof AlertEnd>;

/** What a webhook gets. The same `id` and `event` may come twice: once more is better than never. */
export const AlertNotice = Type.Object({
  event: Type.Enum(['opened', 'escalated', 'resolved', 'test']),
  alert: Alert,
  /** Of one that is resolved. */
  reason: Type.Optional(AlertEnd),
  deviceName: Nullable(Type.String()),
  url: Nullable(Type.String()),
});
export type AlertNotice = Static<typeof AlertNotice>;

/** What a webhook gets instead when there would be too many of them: all that is due, in the order in which it came about. */
export const AlertDigest = Type.Object({
  event: Type.Literal('digest'),
  /** The same for the same notices: a repetition has it too. */
  id: Id,
  /** How many alerts are new, recovered, and so on. */
  title: Type.String(),
  notices: Type.Array(AlertNotice),
  url: Nullable(Type.String()),
});
export type AlertDigest = Static<typeof AlertDigest>;
