/** What happens to pictures, and what people roll out and take back meanwhile. */
import { timestamp } from '#fleet-server/clock.ts';
import { FleetError } from '#fleet-server/errors.ts';
import type { AlertRule } from '#protocol/model/alert.ts';
import type { RolloutPlan } from '#protocol/model/rollout.ts';
import { windowsOf } from './maintenance-watch.ts';
import { rolledOutKey } from './rollouts-watch.ts';
import type { Simulation } from './simulation.ts';
import { minuteAt } from './telling-watch.ts';
import type { Member } from './world.ts';

/** For so long a connection holds that the device does not back off. */
const steadyMs = 11_000;
/** In the end a device mends itself, whatever the watchdog does. */
const mendsItselfMs = { least: 5000, most: 60_000 };

export function breakPicture(run: Simulation, { agent }: Member): void {
  agent.setFailed(true);
  run.time.after(run.random.between(mendsItselfMs.least, mendsItselfMs.most), () => agent.setFailed(false));
}

/** Its link is away for a moment, again and again, until the faults end. */
export function flap(run: Simulation, member: Member): void {
  if (member.isFlapping) return;
  member.isFlapping = true;
  const lose = (): void => {
    if (!member.isFlapping) return;
    const heldMs = run.time.nowMs - (run.liveServer()?.guestOf(member.id)?.acceptedAtMs ?? run.time.nowMs);
    if (heldMs < steadyMs) {
      run.time.after(500, lose);
      return;
    }
    member.isUnreachable = true;
    member.link?.close('device', 'connection-lost');
    run.time.after(run.random.between(1500, 4000), () => {
      if (!member.isFlapping) return;
      member.isUnreachable = false;
      run.time.after(run.random.between(2000, 5000), lose);
    });
  };
  lose();
}

/** It says that it streams, and for a while nothing of it arrives. */
export function loseStream(run: Simulation, { agent }: Member): void {
  agent.isStreamLost = true;
  run.time.after(run.random.between(500, 15_000), () => {
    agent.isStreamLost = false;
  });
}

/** For a while nginx does not run. */
export function loseRelay(run: Simulation): void {
  run.relay.isDown = true;
  run.time.after(run.random.between(500, 15_000), () => {
    run.relay.isDown = false;
  });
}

export function beginRollout(run: Simulation): void {
  const server = run.liveServer();
  if (server === null) return;
  const waves: RolloutPlan = {
    kind: 'waves',
    canary: 1,
    shares: [60, 100],
    soakS: run.random.between(2, 4),
    failureThresholdPercent: run.random.pick([0, 40]),
  };
  const plan: RolloutPlan = run.random.chance(0.15) ? { kind: 'all-at-once' } : waves;
  const patch = { [rolledOutKey]: 320 + 2 * run.count };
  ask(
    run,
    () => server.app.rollouts.begin({ scope: { kind: 'group', name: 'hall' }, patch, plan }, 'admin'),
    ({ id }) => run.rollouts.begun.add(id),
  );
}

/** Of the newest: halted, gone on with, or taken back. */
export function steerRollout(run: Simulation): void {
  const newest = run.rollouts.newest(run.database);
  const server = run.liveServer();
  if (server === null || newest === null) return;
  const { rollouts } = server.app;
  const { id, state } = newest;
  if (state === 'running' && run.random.chance(0.4))
    ask(
      run,
      () => rollouts.halt(id, 'admin'),
      () => undefined,
    );
  else if (state === 'halted' && run.random.chance(0.6))
    ask(
      run,
      () => rollouts.resume(id, 'admin'),
      () => undefined,
    );
  else takeBack(run, id);
}

export function takeBack(run: Simulation, id: string): void {
  const server = run.liveServer();
  if (server === null) return;
  ask(
    run,
    () => server.app.rollouts.rollBack(id, 'admin'),
    () => run.rollouts.takenBack.add(id),
  );
}

/** Somebody works at a device, or at all of them. */
export function planMaintenance(run: Simulation, { id }: Member): void {
  const server = run.liveServer();
  if (server === null) return;
  const device = { kind: 'device', id } as const;
  const scope = run.random.pick([device, device, device, { kind: 'group', name: 'hall' } as const, { kind: 'fleet' } as const]);
  const fromMs = server.wallMs();
  const schedule = { kind: 'once', from: timestamp(fromMs), to: timestamp(fromMs + run.random.between(3000, 25_000)) } as const;
  ask(
    run,
    () => server.app.maintenance.create({ scope, schedule, reason: 'somebody works at it' }, 'admin'),
    (window) => run.maintenance.planned.add(window.id),
  );
}

/** Of one rule: from now for a minute, or none. */
export function changeQuietHours(run: Simulation): void {
  const server = run.liveServer();
  if (server === null) return;
  const documents = run.database.rows('select "document" from "alertRules" order by "createdAtMs", "id"');
  const { id, ...request } = JSON.parse(String(run.random.pick(documents as [(typeof documents)[number]])['document'])) as AlertRule;
  const quietHours = run.random.chance(0.7) ? minuteAt(server.wallMs()) : null;
  const known = run.alerts.telling.quietHours;
  known.set(request.name, undefined);
  ask(
    run,
    () => server.app.alertBook.changeRule(id, { ...request, quietHours }, 'admin'),
    () => known.set(request.name, quietHours),
  );
}

export function acknowledgeAlert(run: Simulation): void {
  const server = run.liveServer();
  const [first, ...others] = run.database.rows('select "id" from "alerts" where "acknowledgedAtMs" is null and "resolvedAtMs" is null');
  if (server === null || first === undefined) return;
  const id = String(run.random.pick([first, ...others])['id']);
  ask(
    run,
    () => server.app.alerts.acknowledge(id, 'admin'),
    (alert) => alert !== null && run.alerts.telling.acknowledged.add(id),
  );
}

/** All that there is, open or over. */
export function endMaintenance(run: Simulation): void {
  const server = run.liveServer();
  if (server === null) return;
  for (const { id } of windowsOf(run.database)) {
    run.maintenance.ended.add(id);
    ask(
      run,
      () => server.app.maintenance.end(id, 'admin'),
      () => undefined,
    );
  }
}

function ask<T>(run: Simulation, work: () => Promise<T>, answered: (answer: T) => void): void {
  const server = run.liveServer();
  work().then(
    (answer) => {
      if (server?.isAlive === true) answered(run.answer(answer));
    },
    (cause: unknown) => {
      if (server?.isAlive === true && !(cause instanceof FleetError)) throw cause;
    },
  );
}
