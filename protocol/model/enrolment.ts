/** How a new device gets in. */
import { type Static, Type } from 'typebox';
import { DeviceId, Timestamp } from '#protocol/identifiers.ts';

export const EnrolmentRequest = Type.Object({
  joinToken: Type.String({ minLength: 16, maxLength: 128 }),
  /** What the device would like to be called: its host name. */
  name: Type.String({ minLength: 1, maxLength: 80 }),
});
export type EnrolmentRequest = Static<typeof EnrolmentRequest>;

/** The credential is shown this once; the server keeps only a keyed hash of it. */
export const EnrolmentAnswer = Type.Object({
  deviceId: DeviceId,
  credential: Type.String({ minLength: 43, maxLength: 128 }),
});
export type EnrolmentAnswer = Static<typeof EnrolmentAnswer>;

export const JoinTokenRequest = Type.Object({
  uses: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
  expiresInS: Type.Optional(Type.Integer({ minimum: 60, maximum: 31_536_000 })),
  group: Type.Optional(Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,39}$' })),
});
export type JoinTokenRequest = Static<typeof JoinTokenRequest>;

export const JoinToken = Type.Object({
  id: Type.String(),
  /** Only in the answer that creates it. */
  token: Type.Optional(Type.String()),
  usesLeft: Type.Integer(),
  expiresAt: Timestamp,
  group: Type.Union([Type.String(), Type.Null()]),
});
export type JoinToken = Static<typeof JoinToken>;
export const JoinTokenList = Type.Object({ joinTokens: Type.Array(JoinToken) });
export type JoinTokenList = Static<typeof JoinTokenList>;
