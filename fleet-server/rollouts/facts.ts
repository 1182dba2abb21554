/** What roll-outs are drawn from, at this moment. */
import type { FastifyInstance } from 'fastify';
import { hasNoConditions, shownConditions } from '#fleet-server/devices/device-view.ts';
import type { LiveDevice } from '#fleet-server/devices/live-device.ts';
import { isOffOnPurpose } from '#fleet-server/devices/stream-state.ts';
import type { Candidate } from '#fleet-server/rollouts/plan-waves.ts';
import type { DeviceFacts, RolloutFacts } from '#fleet-server/rollouts/transition.ts';
import type { DeviceStanding } from '#fleet-server/settings/settings.ts';
import type { Database } from '#fleet-server/store/schema.ts';
import { conditionDefinitions } from '#protocol/conditions.ts';
import type { SettingsState } from '#protocol/model/device.ts';
import type { RolloutScope } from '#protocol/model/rollout.ts';

const critical: ReadonlySet<string> = new Set(
  Object.entries(conditionDefinitions).flatMap(([code, { severity }]) => (severity === 'critical' ? [code] : [])),
);

export async function readCandidates(app: FastifyInstance, database: Database, scope: RolloutScope): Promise<Candidate[]> {
  const there = (await standings(app, database, scope)).filter(({ shutOut }) => shutOut === null);
  return there.map(({ id, name, state }) => {
    const live = app.devices.get(id);
    return { id, name, isOnline: live?.presence.state === 'online', isOnAir: onAirOf(state, live) === 'yes' };
  });
}

export async function readFacts(app: FastifyInstance, database: Database, scope: RolloutScope): Promise<RolloutFacts> {
  return new Map((await standings(app, database, scope)).map((standing) => [standing.id, factsOf(standing, app.devices.get(standing.id))]));
}

function standings(app: FastifyInstance, database: Database, scope: RolloutScope): Promise<DeviceStanding[]> {
  return app.settings.standings(database, scope.kind === 'fleet' ? { level: 'fleet', scope: '' } : { level: 'group', scope: scope.name });
}

function factsOf({ shutOut, state }: DeviceStanding, live: LiveDevice | undefined): DeviceFacts {
  // One that joined at another server a moment ago is not known here yet.
  const presence = live?.presence.state ?? 'unknown';
  const conditions = live === undefined || hasNoConditions(live) ? [] : shownConditions(live);
  return {
    shutOut,
    presence,
    settings: state.kind,
    refusal: state.reason,
    onAir: onAirOf(state, live),
    critical: conditions.map(({ code }) => code).filter((code) => critical.has(code)),
  };
}

function onAirOf({ desiredRevision }: SettingsState, live: LiveDevice | undefined): DeviceFacts['onAir'] {
  switch (live?.stream.kind) {
    case 'live':
      return 'yes';
    case 'elsewhere':
      // Its own word alone, which it gives with its address: a report from before these settings may name another.
      return live.report?.appliedRevision === desiredRevision ? 'yes' : 'no';
    case 'stopped':
      return isOffOnPurpose(live) ? 'not-wanted' : 'no';
    default:
      return 'no';
  }
}
