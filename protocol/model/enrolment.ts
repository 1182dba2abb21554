/** How a new device gets in. */
import { type Static, Type } from 'typebox';
import { BoardId, DeviceId, Tag, Timestamp } from '#protocol/identifiers.ts';
import { BoardIdentity } from '#protocol/messages.ts';

export const EnrolmentRequest = Type.Object({
  joinToken: Type.String({ minLength: 16, maxLength: 128 }),
  /** What the device would like to be called: its host name. */
  name: Type.String({ minLength: 1, maxLength: 80 }),
  /** Of the board, where it can be told: one that is shut out does not come in by another door. */
  boardId: Type.Optional(BoardId),
});
export type EnrolmentRequest = Static<typeof EnrolmentRequest>;

const Credential = Type.String({ minLength: 43, maxLength: 128 });

/** Where a device connects over MQTT when that is not the fleet server itself. */
const MqttUrl = Type.String({ maxLength: 300, pattern: '^(mqtts?|wss?)://' });

/** The credential is shown this once; the server keeps only a keyed hash of it. */
export const EnrolmentAnswer = Type.Object({ deviceId: DeviceId, credential: Credential, mqttUrl: Type.Optional(MqttUrl) });
export type EnrolmentAnswer = Static<typeof EnrolmentAnswer>;

/** A device that has joined shows its credential, and hears where to connect. By then the broker there knows the credential. */
export const ConnectionRequest = Type.Object({ credential: Type.String({ minLength: 1, maxLength: 128 }) });
export type ConnectionRequest = Static<typeof ConnectionRequest>;
/** Null: the fleet server's own address, as WebSocket at /mqtt. */
export const ConnectionAnswer = Type.Object({ mqttUrl: Type.Union([MqttUrl, Type.Null()]) });
export type ConnectionAnswer = Static<typeof ConnectionAnswer>;

export const JoinTokenRequest = Type.Object({
  uses: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
  expiresInS: Type.Optional(Type.Integer({ minimum: 60, maximum: 31_536_000 })),
  group: Type.Optional(Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,39}$' })),
  tags: Type.Optional(Type.Array(Tag, { maxItems: 20, description: 'That each device gets' })),
  approval: Type.Optional(Type.Boolean({ description: 'Whether each device waits until a person has let it in; false unless said' })),
});
export type JoinTokenRequest = Static<typeof JoinTokenRequest>;

export const JoinToken = Type.Object({
  id: Type.String(),
  /** Only in the answer that creates it. */
  token: Type.Optional(Type.String()),
  usesLeft: Type.Integer(),
  expiresAt: Timestamp,
  group: Type.Union([Type.String(), Type.Null()]),
  tags: Type.Array(Tag),
  approval: Type.Boolean(),
});
export type JoinToken = Static<typeof JoinToken>;
export const JoinTokenList = Type.Object({ joinTokens: Type.Array(JoinToken) });
export type JoinTokenList = Static<typeof JoinTokenList>;

/** What a person says of a device that waits. A rejected one is removed, and its connection cut. */
export const ApprovalDecision = Type.Object({ decision: Type.Enum(['approve', 'reject']) }, { additionalProperties: false });
export type ApprovalDecision = Static<typeof ApprovalDecision>;

/** `block`: its connections are cut and no other is let in, until somebody lets it in again. */
export const AccessDecision = Type.Object({ decision: Type.Enum(['block', 'let-in']) }, { additionalProperties: false });
export type AccessDecision = Static<typeof AccessDecision>;

/** A board that finds the credential of another one on its card asks whether it was moved or copied. */
export const CopyRequest = Type.Object({
  deviceId: DeviceId,
  credential: Type.String({ minLength: 1, maxLength: 256 }),
  board: BoardIdentity,
});
export type CopyRequest = Static<typeof CopyRequest>;

/** `take-over`: this board is the device from now on. */
export const CopyAnswer = Type.Object({ verdict: Type.Enum(['wait', 'take-over']) });
export type CopyAnswer = Static<typeof CopyAnswer>;

/** The board that the device runs on from now on: its card was moved there. */
export const BoardMove = Type.Object({ boardId: BoardId }, { additionalProperties: false });
export type BoardMove = Static<typeof BoardMove>;
