/**
 * A state directory that was made on another board: somebody copied its card, or moved it. Two boards under one name would throw each other
 * off the broker, so this one never connects under it unasked.
 *
 * In turn, until one succeeds: it joins as a device of its own, if it has a join token that is taken; the fleet server says that the card was
 * moved, and that this board is the device from now on.
 */
import { type Log, RepeatedFailures } from '#device/logging.ts';
import { type BackOffPolicy, backOffDelays } from '#device/media/back-off.ts';
import type { Clock } from '#device/media/clock.ts';
import type { StateDirectory } from '#device/state/state-directory.ts';
import { type Credentials, keepCredentials, tryToJoin } from '#device/uplink/credentials.ts';
import type { CopyOutcome, EnrolmentOutcome } from '#device/uplink/enrolment-request.ts';
import { wait } from '#device/uplink/wait.ts';
import type { BoardIdentity } from '#protocol/messages.ts';
import type { CopyRequest, EnrolmentRequest } from '#protocol/model/enrolment.ts';

/** Whether credentials were made for another board than this one; false where one of the two cannot be told. */
export function isFromAnotherBoard(credentials: Credentials | null, board: BoardIdentity | null): boolean {
  return credentials?.boardId !== undefined && board !== null && credentials.boardId !== board.id;
}

export const copyPolicy: BackOffPolicy = { firstMs: 2000, factor: 2, capMs: 30_000, jitter: 0.3 };

export type CopyOptions = {
  readonly fleetUrl: string;
  readonly joinToken: string | null;
  /** Of the board that the card was copied from. */
  readonly copyOf: Credentials;
  readonly board: BoardIdentity;
  readonly state: Pick<StateDirectory, 'write'>;
  readonly join: (fleetUrl: string, body: EnrolmentRequest, signal: AbortSignal) => Promise<EnrolmentOutcome>;
  readonly ask: (fleetUrl: string, body: CopyRequest, signal: AbortSignal) => Promise<CopyOutcome>;
  readonly policy: BackOffPolicy;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly signal: AbortSignal;
};

/** Goes on until it is known who this device is; null when the signal ended it. */
export async function identityOfCopy(options: CopyOptions): Promise<Credentials | null> {
  const { fleetUrl, joinToken, copyOf, board, clock, random, log, signal } = options;
  const delays = backOffDelays(options.policy, random);
  const failures = new RepeatedFailures();
  log.warn(`what is on this card was made for ${copyOf.deviceId} on another board: this board does not connect under that name`);
  while (!signal.aborted) {
    const problems: string[] = [];
    if (joinToken !== null) {
      const joined = await tryToJoin({ ...options, joinToken, boardId: board.id });
      if (joined.kind === 'joined') return joined.credentials;
      problems.push(`it cannot join as a device of its own: ${joined.reason}`);
    } else problems.push('it has no join token (FLEET_JOIN_TOKEN) with which to join as a device of its own');
    const { deviceId, credential } = copyOf;
    const answer = await options.ask(fleetUrl, { deviceId, credential, board }, signal);
    if (answer.kind === 'take-over') {
      const credentials = { ...copyOf, boardId: board.id };
      await keepCredentials(options, credentials);
      log.info(`the fleet says that the card was moved: this board is ${deviceId} from now on`);
      return credentials;
    }
    problems.push(answer.reason);
    const message = failures.note(`this board waits: ${problems.join('; ')}`);
    if (message !== undefined && !signal.aborted) log.warn(message);
    await wait(clock, delays.next().value, signal);
  }
  return null;
}
