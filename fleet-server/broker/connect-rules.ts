/**
 * What a CONNECT must be before its credential is looked at. MQTT 3.1.1, sections 3.1 and 3.2.
 *
 * The answer of a refusal is a return code of CONNACK: 2 identifier rejected, 3 server unavailable, 4 bad user name or
 * password, 5 not authorized.
 */
import { isDeviceId } from '#protocol/identifiers.ts';
import { isTopicAllowed, parseTopic, upwardTopics } from '#protocol/topics.ts';

/** Seconds; sent by the device, which is noticed missing after one and a half times as long. Aedes refuses 0 and more than this. */
export const maxKeepaliveS = 120;

export type ConnectFacts = {
  readonly clientId: string;
  readonly username: string | undefined;
  readonly will: { readonly topic: string; readonly payloadBytes: number; readonly qos: number } | undefined;
};

export type ConnectRefusal = { readonly returnCode: 2 | 3 | 4 | 5; readonly message: string };

export function findConnectRefusal(facts: ConnectFacts): ConnectRefusal | undefined {
  // 3.1.3-8: an empty client id with clean session 0 must be refused with 2. Here no client without an id has any business.
  if (!isDeviceId(facts.clientId)) return { returnCode: 2, message: 'expected a device id as client id, got something else' };
  if (facts.username !== facts.clientId) return { returnCode: 4, message: 'expected the user name to be the client id, got another' };
  if (facts.will === undefined) return undefined;
  const parsed = parseTopic(facts.will.topic);
  // Aedes looks at a will only when it fires: by then the device has long been accepted.
  if (parsed?.way !== 'up' || !isTopicAllowed(facts.clientId, 'publish', facts.will.topic)) {
    return { returnCode: 5, message: 'expected a last will to one of the device’s own topics, got another topic' };
  }
  const { maxBytes } = upwardTopics[parsed.name];
  if (facts.will.payloadBytes > maxBytes) {
    return { returnCode: 5, message: `expected a last will of at most ${maxBytes} bytes, got ${facts.will.payloadBytes}` };
  }
  if (facts.will.qos > 1) return { returnCode: 5, message: 'expected a last will with QoS 0 or 1, got 2' };
  return undefined;
}
