/**
 * The program that started us, if it talks to us (an IPC channel of node:child_process). It is told when we are ready, may ask
 * for a stream's addresses, and takes us with it when it ends.
 */
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { isDeviceId } from '#protocol/identifiers.ts';
import type { Playback } from '#protocol/model/device.ts';

export type Ready = {
  readonly kind: 'ready';
  /** At which programs on this machine reach the server. */
  readonly url: string;
  readonly rtmpUrl: string;
  /** Only on the very first start. */
  readonly firstAdminPassword?: string;
};

const PlaybackQuestion = Type.Object({ kind: Type.Literal('playback'), deviceId: Type.String() });
type PlaybackQuestion = Static<typeof PlaybackQuestion>;

/** True when there was a parent to tell. */
export function tellParent(message: object): boolean {
  if (process.send === undefined || !process.connected) return false;
  process.send(message);
  return true;
}

export function answerParent(playback: (deviceId: string) => Playback): void {
  process.on('message', (message: unknown) => {
    if (!isPlaybackQuestion(message) || !isDeviceId(message.deviceId)) return;
    const { rtmp, hls } = playback(message.deviceId);
    tellParent({ kind: 'playback', deviceId: message.deviceId, rtmp, hls });
  });
}

function isPlaybackQuestion(message: unknown): message is PlaybackQuestion {
  return Value.Check(PlaybackQuestion, message);
}
