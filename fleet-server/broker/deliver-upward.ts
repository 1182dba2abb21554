/** Decodes what a device has sent on one of its own topics, and hands it to the server. */
import type { BrokerHooks, BrokerProblem, UpwardMessage } from '#fleet-server/broker/contract.ts';
import { checkPicture, decodeUpward, isPictureTopic, type ProtocolProblem } from '#protocol/envelope.ts';
import type { UpwardTopic } from '#protocol/topics.ts';

/** Resolves when the server has dealt with it; never rejects: the answer says what was wrong. */
export async function deliverUpward(
  hooks: Pick<BrokerHooks, 'handleUpward' | 'onPicture'>,
  deviceId: string,
  name: UpwardTopic,
  payload: Buffer,
): Promise<BrokerProblem | undefined> {
  try {
    if (isPictureTopic(name)) {
      const problem = checkPicture(name, payload);
      if (problem !== undefined) return protocolProblem(name, problem);
      await hooks.onPicture(deviceId, name, payload);
      return undefined;
    }
    const decoded = decodeUpward(name, payload);
    if (decoded.kind === 'problem') return protocolProblem(name, decoded);
    await hooks.handleUpward({ deviceId, name, envelope: decoded.envelope } as UpwardMessage);
    return undefined;
  } catch (cause) {
    // The server could not deal with it (its disk is full, say). Cutting the device off would only bring it back to try the
    // same again: what matters is acknowledged by the server itself, and sent again until it is.
    const reason = cause instanceof Error ? cause.message : String(cause);
    return { code: 'not-handled', message: `the server could not deal with a ${name}: ${reason}` };
  }
}

function protocolProblem(name: string, { code, message }: ProtocolProblem): BrokerProblem {
  return { code, message: `${name}: ${message}` };
}
