/** Who changed what, from what to what. */
import { type Static, Type } from 'typebox';
import { Timestamp } from '#protocol/identifiers.ts';

export const AuditChange = Type.Object({
  field: Type.String(),
  /** Null: it was not set. A secret is `(secret)`. */
  before: Type.Union([Type.String(), Type.Null()]),
  after: Type.Union([Type.String(), Type.Null()]),
});
export type AuditChange = Static<typeof AuditChange>;

export const AuditEntry = Type.Object({
  id: Type.Integer(),
  at: Timestamp,
  /** A person's name, a person's with the token that was used, or `the fleet server`. */
  actor: Type.String(),
  action: Type.String(),
  /** What it was done to: a device's id, a group, a person. */
  subject: Type.String(),
  /** Of a device: what it is called now; null for what is no device of the fleet. */
  subjectName: Type.Union([Type.String(), Type.Null()]),
  changes: Type.Array(AuditChange),
});
export type AuditEntry = Static<typeof AuditEntry>;

export const AuditPage = Type.Object({
  entries: Type.Array(AuditEntry),
  /** To be given as `before` for the next, older page; null at the end. */
  next: Type.Union([Type.Integer(), Type.Null()]),
});
export type AuditPage = Static<typeof AuditPage>;
