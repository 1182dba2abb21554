/** A change of settings that goes from wave to wave of devices. */
import { type Static, Type } from 'typebox';
import { DeviceId, GroupName, Revision, Timestamp } from '#protocol/identifiers.ts';
import { Comment, RevisionChange, SettingsPatch } from '#protocol/model/settings.ts';

const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);
const closed = { additionalProperties: false } as const;

export const RolloutScope = Type.Union([
  Type.Object({ kind: Type.Literal('fleet') }, closed),
  Type.Object({ kind: Type.Literal('group'), name: GroupName }, closed),
]);
export type RolloutScope = Static<typeof RolloutScope>;

export const RolloutPlan = Type.Union([
  /** One wave; it is over when every device that is there has said what became of it. */
  Type.Object({ kind: Type.Literal('all-at-once') }, closed),
  Type.Object(
    {
      kind: Type.Literal('waves'),
      canary: Type.Union([Type.Integer({ minimum: 0, maximum: 1000 }), Type.Array(DeviceId, { minItems: 1, maxItems: 1000 })], {
        description: 'The first wave: so many devices, those on air before others, or these; 0: none',
      }),
      shares: Type.Array(Type.Integer({ minimum: 1, maximum: 100 }), {
        minItems: 1,
        maxItems: 20,
        description: 'Percent of all devices that have it after each further wave; they grow, and the last is 100',
      }),
      soakS: Type.Integer({ minimum: 0, maximum: 86_400, description: 'For so long each device must be well under it' }),
      failureThresholdPercent: Type.Integer({
        minimum: 0,
        maximum: 100,
        description: 'It halts when more than so many of the devices that got it failed',
      }),
    },
    closed,
  ),
]);
export type RolloutPlan = Static<typeof RolloutPlan>;

export const RolloutRequest = Type.Object(
  { scope: RolloutScope, patch: SettingsPatch, plan: RolloutPlan, comment: Type.Optional(Comment) },
  closed,
);
export type RolloutRequest = Static<typeof RolloutRequest>;

/** A roll-back may say nothing. */
export const RollBackRequest = Type.Union([
  Type.Object(
    {
      override: Type.Optional(
        Type.Boolean({
          description: 'Of one that is completed: also where its settings were changed since. Those changes are taken back with it',
        }),
      ),
    },
    closed,
  ),
  Type.Null(),
]);

export const RolloutKind = Type.Enum(['running', 'halted', 'completed', 'rolled-back']);
export type RolloutKind = Static<typeof RolloutKind>;

/**
 * `waiting`: its wave is not reached. `absent`: it is offline, gets it when it is back, and nobody waits for it. `sent`: it has not confirmed yet.
 * `soaking`: confirmed and well, not for long enough. `troubled`: confirmed and not well, which may pass. `steady`: well for long enough.
 * `failed`: refused, rolled back, unwell, lost, silent, or well again and again and never for long enough. `excused`: it failed, and somebody went on nevertheless. `left`: removed, moved away or shut out.
 */
export const RolloutDeviceKind = Type.Enum(['waiting', 'absent', 'sent', 'soaking', 'troubled', 'steady', 'failed', 'excused', 'left']);
export type RolloutDeviceKind = Static<typeof RolloutDeviceKind>;

const Count = Type.Integer({ minimum: 0 });
export const RolloutWave = Type.Object({
  deviceCount: Count,
  steadyCount: Count,
  underWayCount: Count,
  absentCount: Count,
  failedCount: Count,
});
export type RolloutWave = Static<typeof RolloutWave>;

export const Rollout = Type.Object({
  id: Type.String(),
  scope: RolloutScope,
  changes: Type.Array(RevisionChange),
  plan: RolloutPlan,
  comment: Nullable(Type.String()),
  state: RolloutKind,
  /** Why it halted. */
  reason: Nullable(Type.String()),
  /** The wave that it is at, from 0. */
  wave: Count,
  waves: Type.Array(RolloutWave),
  createdAt: Timestamp,
  createdBy: Type.String(),
  finishedAt: Nullable(Timestamp),
  /** The level's revision that it became. */
  revision: Nullable(Revision),
});
export type Rollout = Static<typeof Rollout>;
export const RolloutList = Type.Object({ rollouts: Type.Array(Rollout) });
export type RolloutList = Static<typeof RolloutList>;

export const RolloutDevice = Type.Object({
  id: DeviceId,
  name: Type.String(),
  wave: Count,
  state: RolloutDeviceKind,
  since: Timestamp,
  reason: Nullable(Type.String()),
});
export type RolloutDevice = Static<typeof RolloutDevice>;

/** How many of its devices are so; those that nobody is are left out. */
export const RolloutDeviceCount = Type.Object({ state: RolloutDeviceKind, count: Count });
export type RolloutDeviceCount = Static<typeof RolloutDeviceCount>;

/** With its devices: those of all waves that failed or are troubled before the others, then wave by wave; at most 1000, and how many there are. */
export const RolloutDetail = Type.Object({
  ...Rollout.properties,
  deviceCounts: Type.Array(RolloutDeviceCount),
  devices: Type.Array(RolloutDevice),
});
export type RolloutDetail = Static<typeof RolloutDetail>;
