/** Asks a fleet server to let this device in. */
import { errorText } from '#device/state/state-directory.ts';
import { parseJson, post } from '#device/uplink/fleet-request.ts';
import type { ReadTrust } from '#device/uplink/fleet-trust.ts';
import { compile } from '#protocol/compile.ts';
import { CopyAnswer, type CopyRequest, EnrolmentAnswer, type EnrolmentRequest } from '#protocol/model/enrolment.ts';

export type EnrolmentOutcome =
  | { readonly kind: 'joined'; readonly answer: EnrolmentAnswer }
  /** The server has understood, and says no: trying again soon is of no use. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** No server, no network, or one that is just starting. */
  | { readonly kind: 'unreachable'; readonly reason: string };

/** What the fleet says to a board that holds a copy of another one's card. */
export type CopyOutcome =
  /** The card was moved: this board is the device. */
  { readonly kind: 'take-over' } | { readonly kind: 'wait'; readonly reason: string };

const answerValidator = compile('enrolment-answer', EnrolmentAnswer);
const copyValidator = compile('copy-answer', CopyAnswer);

/** Never rejects. The reasons hold neither the token nor the credential. */
export async function requestEnrolment(
  fleetUrl: string,
  body: EnrolmentRequest,
  signal: AbortSignal,
  trust: ReadTrust = () => ({}),
): Promise<EnrolmentOutcome> {
  let answer: { readonly status: number; readonly text: string };
  try {
    answer = await post(`${fleetUrl}/api/v1/enrolments`, JSON.stringify(body), { ...trust(), signal });
  } catch (cause) {
    return { kind: 'unreachable', reason: `no answer (${errorText(cause)})` };
  }
  return judgeAnswer(answer.status, answer.text);
}

/** Never rejects. The reasons hold no credential. */
export async function askAboutCopy(
  fleetUrl: string,
  body: CopyRequest,
  signal: AbortSignal,
  trust: ReadTrust = () => ({}),
): Promise<CopyOutcome> {
  try {
    const { status, text } = await post(`${fleetUrl}/api/v1/enrolments/copies`, JSON.stringify(body), { ...trust(), signal });
    return judgeCopyAnswer(status, text);
  } catch (cause) {
    return { kind: 'wait', reason: `the fleet server does not answer (${errorText(cause)})` };
  }
}

export function judgeCopyAnswer(status: number, text: string): CopyOutcome {
  if (status === 403) return { kind: 'wait', reason: 'the fleet server does not take the credential on this card any more' };
  const answer = status === 200 ? parseJson(text) : undefined;
  if (!copyValidator.Check(answer)) return { kind: 'wait', reason: `expected a word about this board, got status ${status}` };
  if (answer.verdict === 'take-over') return { kind: 'take-over' };
  return { kind: 'wait', reason: 'the fleet knows the device on another board: make a join token, or say there that the card was moved' };
}

export function judgeAnswer(status: number, text: string): EnrolmentOutcome {
  if (status === 201) {
    const answer = parseJson(text);
    if (answerValidator.Check(answer)) return { kind: 'joined', answer };
    return { kind: 'unreachable', reason: 'expected a device id and a credential, got an answer of another shape: is it a fleet server?' };
  }
  if (status === 400 || status === 401 || status === 403 || status === 410 || status === 422) {
    return { kind: 'refused', reason: `the fleet server does not take the join token (status ${status}): it is wrong, used up or too old` };
  }
  return { kind: 'unreachable', reason: `expected status 201, got ${status}` };
}
