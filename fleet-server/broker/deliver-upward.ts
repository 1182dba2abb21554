/** Decodes what a device has sent on one of its own topics, and hands it to the server. */
import type { BrokerHooks, BrokerProblem, UpwardMessage } from '#fleet-server/broker/contract.ts';
import {
  checkPicture,
  decodeUpward,
  isPictureTopic,
  type PictureTopic,
  type ProtocolProblem,
  type UpwardName,
} from '#protocol/envelope.ts';
import type { UpwardTopic } from '#protocol/topics.ts';

/** Answers what was wrong, at once or when the server has dealt with it. Never rejects, and never throws. */
export function deliverUpward(
  hooks: Pick<BrokerHooks, 'handleUpward' | 'onPicture'>,
  deviceId: string,
  name: UpwardTopic,
  payload: Buffer,
): Promise<BrokerProblem | undefined> | BrokerProblem | undefined {
  try {
    const work = isPictureTopic(name) ? deliverPicture(hooks, deviceId, name, payload) : deliverMessage(hooks, deviceId, name, payload);
    if (!(work instanceof Promise)) return work;
    return work.then(
      () => undefined,
      (cause: unknown) => notHandled(name, cause),
    );
  } catch (cause) {
    return notHandled(name, cause);
  }
}

type Delivered = Promise<void> | BrokerProblem | undefined;

function deliverPicture(hooks: Pick<BrokerHooks, 'onPicture'>, deviceId: string, name: PictureTopic, payload: Buffer): Delivered {
  const problem = checkPicture(name, payload);
  if (problem !== undefined) return protocolProblem(name, problem);
  // A copy: the picture is kept, and the payload may be a small part of what was read together with it.
  return hooks.onPicture(deviceId, name, Buffer.from(payload)) ?? undefined;
}

function deliverMessage(hooks: Pick<BrokerHooks, 'handleUpward'>, deviceId: string, name: UpwardName, payload: Buffer): Delivered {
  const decoded = decodeUpward(name, payload);
  if (decoded.kind === 'problem') return protocolProblem(name, decoded);
  return hooks.handleUpward({ deviceId, name, envelope: decoded.envelope } as UpwardMessage) ?? undefined;
}

/**
 * The server could not deal with it (its disk is full, say). Cutting the device off would only bring it back to try the same again: what
 * matters is acknowledged by the server itself, and sent again until it is.
 */
function notHandled(name: string, cause: unknown): BrokerProblem {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return { code: 'not-handled', message: `the server could not deal with a ${name}: ${reason}` };
}

function protocolProblem(name: string, { code, message }: ProtocolProblem): BrokerProblem {
  return { code, message: `${name}: ${message}` };
}
