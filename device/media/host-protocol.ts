/**
 * What the agent and its media host say to each other: one JSON text a line over a Unix socket in the agent's state
 * directory (mode 0600). A socket and not a pipe of the child's, so that a stream outlives its agent: the next agent finds
 * the socket, asks for the status and takes over.
 */
import { type Static, Type } from 'typebox';
import { PipelinePlan } from '#device/plan/pipeline-plan.ts';
import { BitrateAdaptation, MediaFigures, MediaState, OutputStatus } from '#protocol/media.ts';

export const mediaHostProtocolVersion = 1;

/** The longest line that an agent accepts: a picture for a snapshot in base64 and its frame. */
export const maxLineBytes = 3_500_000;

const RequestId = Type.Integer({ minimum: 1 });

export const HostRequest = Type.Union([
  /** Compare with what runs and change only what differs. Answered when the new capture gives frames, or with why not. */
  Type.Object({ kind: Type.Literal('apply'), id: RequestId, plan: PipelinePlan }),
  /** A new capture pipeline from the same plan; connections of the outputs stay. */
  Type.Object({ kind: Type.Literal('restart-capture'), id: RequestId }),
  /** The next whole picture on air. Answered after it was sent, or with why there is none. */
  Type.Object({ kind: Type.Literal('picture'), id: RequestId }),
  /** Stop outputs and capture, then exit. */
  Type.Object({ kind: Type.Literal('shutdown'), id: RequestId }),
]);
export type HostRequest = Static<typeof HostRequest>;

export const MediaStatus = Type.Object({
  media: MediaState,
  figures: Type.Union([MediaFigures, Type.Null()]),
  outputs: Type.Array(OutputStatus),
  /** Absent: the bitrate does not follow the uplink. */
  adaptation: Type.Optional(BitrateAdaptation),
  rssBytes: Type.Integer(),
  /** Video frames that have left the encoder since the host started: proof of progress for watchdogs. */
  framesTotal: Type.Integer(),
  /** How often a capture that ran has failed since the host started; an older host does not count. */
  captureLosses: Type.Optional(Type.Integer()),
});
export type MediaStatus = Static<typeof MediaStatus>;

export const HostMessage = Type.Union([
  /** The first line on every connection. `plan` is what runs; null before the first apply. */
  Type.Object({
    kind: Type.Literal('welcome'),
    version: Type.Integer(),
    processId: Type.Integer(),
    gstreamerVersion: Type.String(),
    plan: Type.Union([PipelinePlan, Type.Null()]),
    status: MediaStatus,
  }),
  Type.Object({ kind: Type.Literal('result'), id: RequestId, problem: Type.Union([Type.String(), Type.Null()]) }),
  /** Every second, and at once when a state changes. */
  Type.Object({ kind: Type.Literal('status'), status: MediaStatus }),
  /** Twice a second: the host's own loop turns. Whether pictures leave stands in the status. */
  Type.Object({ kind: Type.Literal('alive') }),
  Type.Object({ kind: Type.Literal('preview'), jpegBase64: Type.String() }),
  /** A keyframe with its header, as an FLV file: what was asked for. */
  Type.Object({ kind: Type.Literal('picture'), flvBase64: Type.String() }),
  /** A thing that happened and belongs in the device's history: pipeline failed, output lost, output back. */
  Type.Object({ kind: Type.Literal('event'), event: Type.String(), detail: Type.String() }),
]);
export type HostMessage = Static<typeof HostMessage>;
