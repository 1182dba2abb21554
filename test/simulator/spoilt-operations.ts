/** Faults of the product made on purpose (sabotage.ts), in what watches and steers: roll-outs, the watchdog, alerts. */
import type { FastifyInstance } from 'fastify';
import type { ApiOptions } from '#fleet-server/api.ts';
import { type Clock, timestamp } from '#fleet-server/clock.ts';
import type { LiveDevice } from '#fleet-server/devices/live-device.ts';
import { noLosses } from '#fleet-server/devices/losses.ts';
import type {} from '#fleet-server/enrolment/plugin.ts';
import { Maintenance } from '#fleet-server/maintenance/maintenance.ts';
import { deleteTrial } from '#fleet-server/settings/trials-store.ts';
import { unstable } from './connections-watch.ts';
import type { Sabotage } from './sabotage.ts';
import type { SimulatedDatabase } from './simulated-database.ts';
import { simulatedPolicy } from './watchdog-watch.ts';

type Tell = NonNullable<ApiOptions['tell']>;

export function spoiltTelling(sabotage: Sabotage | null, tell: Tell): Tell {
  switch (sabotage) {
    case 'notice thrown away':
      return async () => undefined;
    case 'escalation not told':
      return async (target, notice) => (notice.event === 'escalated' ? undefined : tell(target, notice));
    case 'recovery not told':
      return async (target, notice) => (notice.event === 'resolved' ? undefined : tell(target, notice));
    case 'notice told again':
      return async (target, notice) => {
        await tell(target, notice);
        throw new Error('the answer was lost here');
      };
    default:
      return tell;
  }
}

const isHeldBack = `"attempts" = 0 and "nextAttemptAtMs" > "createdAtMs"`;
const inADay = `"createdAtMs" + 86400000`;
const spoilingStatements: Partial<Record<Sabotage, string>> = {
  'losses forgotten': `update "deviceStates" set "lossesAtMs" = null`,
  'window forgotten': `delete from "maintenanceWindows"`,
  'held back for good': `update "alertNotices" set "nextAttemptAtMs" = ${inADay} where ${isHeldBack}`,
  'held back and lost': `delete from "alertNotices" where ${isHeldBack}`,
  'never escalated': `update "alerts" set "escalateInMs" = 60000 where "escalateInMs" is not null`,
  'escalated too early': `update "alerts" set "escalateInMs" = 0 where "escalateInMs" is not null`,
  'escalated though acknowledged': `update "alerts" set "escalateInMs" = 0 where "acknowledgedAtMs" is not null and "escalatedAtMs" is null`,
  'escalated again': `update "alerts" set "escalateInMs" = 0 where "escalatedAtMs" is not null`,
  'acknowledgement forgotten': `update "alerts" set "acknowledgedAtMs" = null`,
};

export function spoilOperations(app: FastifyInstance, sabotage: Sabotage, database: SimulatedDatabase, clock: Clock): void {
  spoilRollouts(app, sabotage, database, clock);
  spoilWatchdog(app, sabotage);
  spoilCommands(app, sabotage, database, clock);
  spoilAlerts(app, sabotage);
  spoilWindows(app, sabotage);
  spoilCopies(app, sabotage);
  const spoilt = spoilingStatements[sabotage];
  if (spoilt !== undefined) clock.every(50, () => void database.rows(spoilt));
  // What comes first waits for nothing.
  if (sabotage === 'recovery told at once')
    clock.every(50, () => void database.rows(`update "alertNotices" set "event" = 'opened' where "event" = 'resolved'`));
}

function spoilWindows({ maintenance }: FastifyInstance, sabotage: Sabotage): void {
  if (sabotage === 'alerts heed no window') maintenance.of = () => null;
  if (sabotage !== 'window never over') return;
  maintenance.of = forEver(maintenance.of.bind(maintenance));
  maintenance.isAnyOpen = () => true;
}

function forEver(of: Maintenance['of']): Maintenance['of'] {
  const former = new Map<string, ReturnType<typeof of>>();
  return (id, group) => {
    former.set(id, of(id, group) ?? former.get(id) ?? null);
    return former.get(id) ?? null;
  };
}

/** What it asks of the other parts of the server. */
export function watchdogsView(app: FastifyInstance, sabotage: Sabotage | null): FastifyInstance {
  const asItIs: Maintenance['of'] = (id, group) => Maintenance.prototype.of.call(app.maintenance, id, group);
  const spoilt: Partial<Record<Sabotage, Maintenance['of']>> = {
    'watchdog heeds no window': () => null,
    'watchdog asleep after a window': forEver(asItIs),
    'alerts heed no window': asItIs,
  };
  const of = sabotage === null ? undefined : spoilt[sabotage];
  return of === undefined ? app : (Object.create(app, { maintenance: { value: { of } } }) as FastifyInstance);
}

function spoilCopies({ copies }: FastifyInstance, sabotage: Sabotage): void {
  if (sabotage === 'second board not noticed') copies.onHello = async () => undefined;
  if (sabotage !== 'one board taken for two') return;
  const onHello = copies.onHello.bind(copies);
  copies.onHello = (deviceId, session, board) => onHello(deviceId, { ...session, bootId: `boot ${session.counter % 2}` }, board);
}

function spoilRollouts(app: FastifyInstance, sabotage: Sabotage, database: SimulatedDatabase, clock: Clock): void {
  const { settings, rollouts, settingsTrials } = app;
  if (sabotage === 'any device taken as confirmed') {
    const standings = settings.standings.bind(settings);
    settings.standings = async (...parameters) =>
      (await standings(...parameters)).map((standing) => ({ ...standing, state: { ...standing.state, kind: 'applied' as const } }));
  }
  if (sabotage === 'roll-out goes on past its threshold')
    clock.every(
      50,
      () => void database.rows(`update "rollouts" set "state" = 'running' where "state" = 'halted' and "reason" not like 'Halted%'`),
    );
  if (sabotage === 'roll-out not looked after') rollouts.start = () => undefined;
  if (sabotage === 'roll-out taken back in words only')
    settingsTrials.drop = async (transaction, id) => {
      await deleteTrial(transaction, id);
      return [];
    };
}

function spoilWatchdog({ watchdogPolicies, history, commands }: FastifyInstance, sabotage: Sabotage): void {
  if (sabotage === 'watchdog heeds no bound') {
    const steps = [{ command: 'restart-pipeline' as const, attempts: 10, maxAnHour: 12 }];
    watchdogPolicies.of = () => ({ ...simulatedPolicy, steps, firstPauseS: 1, maxPauseS: 1, maxAnHour: 60 });
  }
  if (sabotage === 'restart without an entry') history.appendIn = async () => undefined;
  if (sabotage === 'restart asked for twice') {
    const request = commands.request.bind(commands);
    commands.request = async (wanted) => {
      const { historyEntry, ...again } = wanted;
      if (historyEntry !== undefined) await request(again);
      return request(wanted);
    };
  }
}

function spoilCommands({ broker, commands }: FastifyInstance, sabotage: Sabotage, database: SimulatedDatabase, clock: Clock): void {
  if (sabotage !== 'what the watchdog asked for heeds no window') return;
  commands.onHello = async (deviceId) => {
    const inTime = database.rows('select * from "commands" where "deviceId" = ? and "deadlineMs" > ?', deviceId, clock.nowMs());
    for (const { id, kind, deadlineMs } of inTime) {
      const deadline = timestamp(Number(deadlineMs));
      await broker.publish(deviceId, 'command', { id: String(id), kind: String(kind), arguments: {}, deadline, tellProgress: true });
    }
  };
}

function spoilAlerts({ alerts, alertBook, devices, relays }: FastifyInstance, sabotage: Sabotage): void {
  if (sabotage === 'quiet hours forgotten') {
    const changeRule = alertBook.changeRule.bind(alertBook);
    alertBook.changeRule = (id, request, actor) => changeRule(id, { ...request, quietHours: null }, actor);
  }
  if (sabotage === 'relay taken as running') relays.all = () => [];
  if (sabotage === 'relay told of by each device') {
    const rules = alerts.rules.bind(alerts);
    alerts.rules = async () =>
      (await rules()).map((rule) =>
        rule.trigger.kind === 'condition' && !rule.trigger.conditions.includes(unstable)
          ? { ...rule, trigger: { ...rule.trigger, conditions: ['relay-down', 'pipeline-failed'] } }
          : rule,
      );
  }
  if (sabotage === 'coming and going not told' || sabotage === 'coming and going never over') spoilLosses(devices, sabotage);
  if (sabotage === 'alerts asleep') alerts.start = () => undefined;
  if (sabotage !== 'alert never over' && sabotage !== 'alarm at once after a restart') return;
  const known = devices.known.bind(devices);
  const away = new Set<string>();
  devices.known = function* () {
    for (const device of known()) {
      const { id, presence } = device.live;
      if (sabotage === 'alarm at once after a restart' ? presence.state === 'unknown' : presence.state === 'offline') away.add(id);
      else if (sabotage === 'alarm at once after a restart') away.delete(id);
      const live = { ...device.live, presence: { ...presence, state: 'offline' as const } };
      yield away.has(id) ? { ...device, live } : device;
    }
  };
}

/** As alerts are told of devices. */
function spoilLosses(devices: FastifyInstance['devices'], sabotage: Sabotage): void {
  const known = devices.known.bind(devices);
  const former = new Map<string, LiveDevice['losses']>();
  devices.known = function* () {
    for (const device of known()) {
      const { id, losses } = device.live;
      if (losses.unstableSinceMs !== null) former.set(id, losses);
      const told = sabotage === 'coming and going not told' ? noLosses : (former.get(id) ?? losses);
      yield { ...device, live: { ...device.live, losses: told } };
    }
  };
}
