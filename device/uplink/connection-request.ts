/** Asks the fleet server where to connect over MQTT, and shows it the credential: an external broker may have to be told of it. */
import { errorText } from '#device/state/state-directory.ts';
import { parseJson, post } from '#device/uplink/fleet-request.ts';
import { isBrokerSafe, type ReadTrust } from '#device/uplink/fleet-trust.ts';
import { compile } from '#protocol/compile.ts';
import { ConnectionAnswer, type ConnectionRequest } from '#protocol/model/enrolment.ts';

export type ConnectionOutcome =
  | { readonly kind: 'located'; readonly mqttUrl: string | null }
  /** The credential is not this device's there. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'unreachable'; readonly reason: string };

const answerValidator = compile('connection-answer', ConnectionAnswer);

/** Never rejects. The reasons hold no credential. */
export async function requestConnection(
  fleetUrl: string,
  deviceId: string,
  body: ConnectionRequest,
  signal: AbortSignal,
  trust: ReadTrust,
): Promise<ConnectionOutcome> {
  try {
    const { status, text } = await post(`${fleetUrl}/api/v1/devices/${deviceId}/connection`, JSON.stringify(body), { ...trust(), signal });
    return judgeConnection(fleetUrl, status, text);
  } catch (cause) {
    return { kind: 'unreachable', reason: `no answer (${errorText(cause)})` };
  }
}

export function judgeConnection(fleetUrl: string, status: number, text: string): ConnectionOutcome {
  if (status === 401) return { kind: 'refused' };
  if (status !== 200) return { kind: 'unreachable', reason: `expected status 200, got ${status}` };
  const answer = parseJson(text);
  if (!answerValidator.Check(answer)) return { kind: 'unreachable', reason: 'expected the address of a broker, got something else' };
  if (answer.mqttUrl !== null && !isBrokerSafe(fleetUrl, answer.mqttUrl)) {
    return { kind: 'unreachable', reason: 'expected an MQTT broker with TLS (mqtts or wss), as the fleet server has it, got one without' };
  }
  return { kind: 'located', mqttUrl: answer.mqttUrl };
}
