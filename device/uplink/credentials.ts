/** Who this device is to its fleet: made by joining once, kept on disk, worth nothing to another fleet. */
import { hostname } from 'node:os';
import { type Static, Type } from 'typebox';
import { type Log, RepeatedFailures } from '#device/logging.ts';
import { type BackOffPolicy, backOffDelays } from '#device/media/back-off.ts';
import type { Clock } from '#device/media/clock.ts';
import { errorText, type StateDirectory, stateFile } from '#device/state/state-directory.ts';
import type { EnrolmentOutcome } from '#device/uplink/enrolment-request.ts';
import { isBrokerSafe } from '#device/uplink/fleet-trust.ts';
import { wait } from '#device/uplink/wait.ts';
import { BoardId, DeviceId } from '#protocol/identifiers.ts';
import type { EnrolmentRequest } from '#protocol/model/enrolment.ts';

export const Credentials = Type.Object({
  fleetUrl: Type.String(),
  deviceId: DeviceId,
  credential: Type.String(),
  /** Of the board that they were made for (board-identity.ts); absent where it cannot be told. */
  boardId: Type.Optional(BoardId),
  /** The one before, for as long as the server has not let us in with the new one. */
  former: Type.Optional(Type.String()),
  /** Of the broker, where that is not the fleet server itself. */
  mqttUrl: Type.Optional(Type.String()),
});
export type Credentials = Static<typeof Credentials>;
const credentialsFile = stateFile('credentials.json', Credentials, { reservedBytes: 4096 });

/**
 * Null when the device has to join. Credentials of another address are those of another fleet when there is a join token to
 * join this one with; without a token the fleet has moved, and they are taken along.
 */
export async function readCredentials(
  state: Pick<StateDirectory, 'read'>,
  fleet: { readonly url: string; readonly joinToken: string | null },
): Promise<Credentials | null> {
  const credentials = await state.read(credentialsFile);
  if (credentials === null) return null;
  if (credentials.fleetUrl === fleet.url) return credentials;
  return fleet.joinToken === null ? { ...credentials, fleetUrl: fleet.url } : null;
}

/** Where `readCredentials` finds none: why they are lost, in words; null when this device has never had any, or they are another fleet's. */
export async function whyCredentialsAreLost(state: Pick<StateDirectory, 'read' | 'whyLost'>): Promise<string | null> {
  return (await state.read(credentialsFile)) === null ? state.whyLost(credentialsFile) : null;
}

export const joinAgainAdvice = 'To let the device join again, make a join token and set FLEET_JOIN_TOKEN.';

/** On the disk before it counts: a power cut leaves the one or the other, and the server knows both. Rejects when the disk refuses. */
export async function changeCredential(
  state: Pick<StateDirectory, 'write'>,
  current: Credentials,
  credential: string,
): Promise<Credentials> {
  if (current.credential === credential) return current;
  // One that was never let in is no way back.
  const former = current.former ?? current.credential;
  const next: Credentials = { ...current, credential, former };
  await state.write(credentialsFile, next);
  return next;
}

/** The server has let us in with the new one, and knows the former no more. */
export async function forgetFormer(state: Pick<StateDirectory, 'write'>, { former: _former, ...credentials }: Credentials): Promise<void> {
  await state.write(credentialsFile, credentials);
}

export const enrolmentPolicies: { readonly unreachable: BackOffPolicy; readonly refused: BackOffPolicy } = {
  unreachable: { firstMs: 500, factor: 2, capMs: 30_000, jitter: 0.5 },
  /** A token that was refused may be renewed on the server: asked again, but seldom. */
  refused: { firstMs: 60_000, factor: 2, capMs: 600_000, jitter: 0.3 },
};

/** Says on the disk whose board the credentials are. Rejects when the disk refuses. */
export function bindCredentials(state: Pick<StateDirectory, 'write'>, credentials: Credentials): Promise<void> {
  return state.write(credentialsFile, credentials);
}

/** The fleet has another broker. Rejects when the disk refuses. */
export function keepBroker(state: Pick<StateDirectory, 'write'>, credentials: Credentials): Promise<void> {
  return state.write(credentialsFile, credentials);
}

type KeepOptions = { readonly state: Pick<StateDirectory, 'write'>; readonly log: Pick<Log, 'error'> };

export type JoinOptions = KeepOptions & {
  readonly fleetUrl: string;
  readonly joinToken: string;
  /** Of this board; null where it cannot be told. */
  readonly boardId: string | null;
  readonly join: (fleetUrl: string, body: EnrolmentRequest, signal: AbortSignal) => Promise<EnrolmentOutcome>;
  readonly log: Pick<Log, 'info' | 'error'>;
  readonly signal: AbortSignal;
};

export type JoinAttempt =
  | { readonly kind: 'joined'; readonly credentials: Credentials }
  | Exclude<EnrolmentOutcome, { readonly kind: 'joined' }>;

/** One attempt. */
export async function tryToJoin(options: JoinOptions): Promise<JoinAttempt> {
  const { fleetUrl, joinToken, boardId, log, signal } = options;
  const name = hostname().slice(0, 80) || 'device';
  const outcome = await options.join(fleetUrl, { joinToken, name, ...(boardId === null ? {} : { boardId }) }, signal);
  if (outcome.kind !== 'joined') return outcome;
  const { mqttUrl, ...answer } = outcome.answer;
  // One that is not safe is asked for again, and refused with a reason (connection-request.ts).
  const isKept = mqttUrl !== undefined && isBrokerSafe(fleetUrl, mqttUrl);
  const credentials: Credentials = { fleetUrl, ...answer, ...(isKept ? { mqttUrl } : {}), ...(boardId === null ? {} : { boardId }) };
  await keepCredentials(options, credentials);
  log.info(`joined the fleet at ${fleetUrl} as ${credentials.deviceId}`);
  return { kind: 'joined', credentials };
}

export type EnrolOptions = JoinOptions & {
  readonly policies: typeof enrolmentPolicies;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
};

/** Tries until it is let in; null when the signal ended it. */
export async function enrol(options: EnrolOptions): Promise<Credentials | null> {
  const { fleetUrl, policies, clock, random, log, signal } = options;
  const waits = {
    unreachable: backOffDelays(policies.unreachable, random),
    refused: backOffDelays(policies.refused, random),
  };
  const failures = new RepeatedFailures();
  while (!signal.aborted) {
    const outcome = await tryToJoin(options);
    if (outcome.kind === 'joined') return outcome.credentials;
    const message = failures.note(`cannot join the fleet at ${fleetUrl}: ${outcome.reason}; trying again`);
    if (message !== undefined && !signal.aborted) log.warn(message);
    await wait(clock, waits[outcome.kind].next().value, signal);
  }
  return null;
}

export async function keepCredentials(options: KeepOptions, credentials: Credentials): Promise<void> {
  try {
    await options.state.write(credentialsFile, credentials);
  } catch (cause) {
    options.log.error(`cannot keep the credential on disk (${errorText(cause)}): this device will have to join again after a restart`);
  }
}
