/** What happened to a device. */
import { type Static, Type } from 'typebox';
import { Timestamp } from '#protocol/identifiers.ts';

/** Who says so: the device itself, or what the server, the watchdog and people did. */
export const historyOrigins = ['device', 'server', 'watchdog', 'person'] as const;
export const HistoryOrigin = Type.Enum([...historyOrigins]);
export type HistoryOrigin = Static<typeof HistoryOrigin>;

export const HistoryEntry = Type.Object({
  id: Type.Integer(),
  /** When it happened, by the server's clock: what a device tells late stands where it belongs. */
  at: Timestamp,
  /** When the server learnt of it. */
  arrivedAt: Timestamp,
  origin: HistoryOrigin,
  kind: Type.String(),
  detail: Type.String(),
});
export type HistoryEntry = Static<typeof HistoryEntry>;

export const History = Type.Object({
  entries: Type.Array(HistoryEntry),
  /** Give it as `after` to read the next page; null on the last one. */
  next: Type.Union([Type.String(), Type.Null()]),
});
export type History = Static<typeof History>;

/** Kinds by name, with how many entries of each are kept. */
export const HistoryKinds = Type.Object({
  kinds: Type.Array(Type.Object({ origin: HistoryOrigin, kind: Type.String(), count: Type.Integer() })),
});
export type HistoryKinds = Static<typeof HistoryKinds>;
