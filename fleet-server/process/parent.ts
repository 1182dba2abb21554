/**
 * The program that started us, if it talks to us (an IPC channel of node:child_process). It is told when we are ready, may ask
 * whether a device is known and for a stream's addresses, and takes us with it when it ends.
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

const Question = Type.Object({ kind: Type.Enum(['playback', 'is-known']), deviceId: Type.String() });
type Question = Static<typeof Question>;

export type ParentAnswers = {
  readonly playback: (deviceId: string) => Playback;
  readonly isKnown: (deviceId: string) => boolean;
};

/** True when there was a parent to tell. */
export function tellParent(message: object): boolean {
  if (process.send === undefined || !process.connected) return false;
  // A channel that closes meanwhile is no fault: its end is told by an event of its own, and stops us.
  process.send(message, undefined, undefined, (error) => {
    if (error !== null) process.stderr.write(`The program that started this one could not be told: ${error.message}\n`);
  });
  return true;
}

export function answerParent(answers: ParentAnswers): void {
  process.on('message', (message: unknown) => {
    if (!isQuestion(message) || !isDeviceId(message.deviceId)) return;
    const { kind, deviceId } = message;
    switch (kind) {
      case 'is-known':
        tellParent({ kind, deviceId, isKnown: answers.isKnown(deviceId) });
        return;
      case 'playback': {
        const { rtmp, hls } = answers.playback(deviceId);
        tellParent({ kind, deviceId, rtmp, hls });
        return;
      }
      default:
        kind satisfies never;
    }
  });
}

function isQuestion(message: unknown): message is Question {
  return Value.Check(Question, message);
}
