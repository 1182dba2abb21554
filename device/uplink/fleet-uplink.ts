/** The uplink to the fleet that the environment names: who the device is there, where its broker is, and what is kept of both. */
import type { AgentOptions } from '#device/agent-options.ts';
import { errorText } from '#device/state/state-directory.ts';
import { BrokerLocation } from '#device/uplink/broker-location.ts';
import { requestConnection } from '#device/uplink/connection-request.ts';
import { copyPolicy, identityOfCopy } from '#device/uplink/copied-card.ts';
import { type Credentials, enrol, enrolmentPolicies, forgetFormer, keepBroker } from '#device/uplink/credentials.ts';
import { askAboutCopy, requestEnrolment } from '#device/uplink/enrolment-request.ts';
import { fleetTrust } from '#device/uplink/fleet-trust.ts';
import { SessionCounter } from '#device/uplink/session-counter.ts';
import { connectionPolicy, Uplink, type UplinkOptions } from '#device/uplink/uplink.ts';

type FleetUplinkOptions = Pick<AgentOptions, 'configuration' | 'credentials' | 'copyOf' | 'board' | 'state' | 'clock' | 'random' | 'log'> &
  Pick<UplinkOptions, 'outbox' | 'hello' | 'onJoined' | 'onOnline' | 'onDesired' | 'onCommand' | 'onEventAck'> & {
    readonly bootId: string;
  };

/** Null: it is to belong to no fleet. */
export function fleetUplink(options: FleetUplinkOptions): Uplink | null {
  const { configuration, credentials, copyOf, board, state, clock, random, log, bootId } = options;
  const { fleet } = configuration;
  if (fleet === null) return null;
  const { url: fleetUrl, joinToken } = fleet;
  const trust = fleetTrust(fleet.caFile);
  const join: typeof requestEnrolment = (url, body, signal) => requestEnrolment(url, body, signal, trust);
  const ask: typeof askAboutCopy = (url, body, signal) => askAboutCopy(url, body, signal, trust);
  const identify = (signal: AbortSignal): Promise<Credentials | null> => {
    const common = { fleetUrl, state, join, clock, random, log, signal };
    if (copyOf !== null && board !== null) return identityOfCopy({ ...common, joinToken, copyOf, board, ask, policy: copyPolicy });
    if (credentials !== null || joinToken === null) return Promise.resolve(credentials);
    return enrol({ ...common, joinToken, boardId: board?.id ?? null, policies: enrolmentPolicies });
  };
  const location = new BrokerLocation({
    ask: (deviceId, credential, signal) => requestConnection(fleetUrl, deviceId, { credential }, signal, trust),
    clock,
    log,
    onMoved: (moved) => {
      keepBroker(state, moved).catch((cause: unknown) => log.warn(`cannot keep the broker’s address on disk (${errorText(cause)})`));
    },
  });
  const { outbox, hello, onJoined, onOnline, onDesired, onCommand, onEventAck } = options;
  return new Uplink({
    fleetUrl,
    trust,
    location,
    credentials: identify,
    sessions: new SessionCounter({ state, bootId, nowMs: clock.nowMs, log }),
    outbox,
    clock,
    random,
    log,
    policy: connectionPolicy,
    hello,
    onJoined,
    onProven: (proven) => {
      forgetFormer(state, proven).catch((cause: unknown) => {
        log.warn(`the former credential stays on the disk beside the new one (${errorText(cause)})`);
      });
    },
    onOnline,
    onDesired,
    onCommand,
    onEventAck,
  });
}
