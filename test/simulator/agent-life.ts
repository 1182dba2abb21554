/** One life of a simulated agent, from a start to the end of its process: composed as device/agent.ts composes it, without a picture. */

import { HealthBacklogKeeper } from '#device/health/health-backlog.ts';
import { reportedSettings } from '#device/health/health-report.ts';
import type { ApplyOutcome } from '#device/media/media-host-supervisor.ts';
import { SettingsKeeper } from '#device/settings/settings-keeper.ts';
import { CommandJournal } from '#device/uplink/command-journal.ts';
import { type CommandActions, CommandRunner } from '#device/uplink/command-runner.ts';
import { changeCredential, forgetFormer, readCredentials } from '#device/uplink/credentials.ts';
import { EventJournal } from '#device/uplink/event-journal.ts';
import { Outbox } from '#device/uplink/outbox.ts';
import { SessionCounter } from '#device/uplink/session-counter.ts';
import { connectionPolicy, Uplink } from '#device/uplink/uplink.ts';
import type { UnjudgedDesired } from '#protocol/messages.ts';
import { machineWith } from '../device/bare-machine.ts';
import type { MemoryState } from '../device/uplink/memory-state.ts';
import { bodies, someDigest } from '../fleet-server/bodies.ts';
import { mendingCommands, saidOfFailure } from './picture.ts';
import { rolledOutKey } from './rollouts-watch.ts';
import type { SimulatedAgent } from './simulated-agent.ts';
import { SimulatedConnection } from './simulated-connection.ts';
import { deviceClock } from './virtual-time.ts';

const fleetUrl = 'http://fleet.local';
const healthMs = 10_000;

/** Of what is rolled out, every fourth value runs on no device. */
function isTooMuch(desired: UnjudgedDesired | null): boolean {
  return Number(desired?.levels.group[rolledOutKey] ?? 0) % 8 === 6;
}

export type Life = {
  addEvent(kind: string, detail: string): void;
  /** Its picture is another than before. */
  report(): void;
  inForce(): { readonly revision: number; readonly digest: string | null };
  /** As systemd stops it. */
  stop(): Promise<void>;
  /** As a power cut ends it. */
  end(): void;
};

const machine = machineWith({ fleetUrl });

export async function startLife(agent: SimulatedAgent, bootId: string): Promise<Life> {
  const { network, random } = agent.parts;
  const { log } = agent;
  let isAlive = true;
  const clock = deviceClock(network.time, agent.wall, () => isAlive);
  // A dead agent writes nothing any more.
  const state = {
    read: agent.state.read.bind(agent.state),
    reserve: agent.state.reserve.bind(agent.state),
    write: ((file, value) => {
      if (!isAlive) return new Promise(() => undefined);
      if (network.sabotage === 'command forgotten by the device' && file.name === 'commands.json') return Promise.resolve();
      return agent.state.write(file, value);
    }) as MemoryState['write'],
    remove: (file: Parameters<MemoryState['remove']>[0]) => (isAlive ? agent.state.remove(file) : new Promise<void>(() => undefined)),
  };
  const events = new EventJournal({ state, clock, log });
  const backlog = new HealthBacklogKeeper({ state, log, nowMs: clock.nowMs, uptimeMs: clock.monotonicMs });
  const outbox = new Outbox(events, backlog);
  const wait = (ms: number) => new Promise<void>((resolve) => clock.schedule(resolve, ms));

  /** Frames come after a while, now and then not at all, and now and then nobody hears whether they do. */
  const apply = async (): Promise<ApplyOutcome> => {
    const fate = agent.isPictureFaulty ? random.next() : 1;
    await wait(fate < 0.02 ? 60_000 : random.between(20, 3000));
    return fate < 0.06 || isTooMuch(agent.newest) ? { kind: 'failed', reason: 'no frames' } : { kind: 'applied' };
  };
  const report = () => {
    const { revision } = keeper.inForce();
    const said = saidOfFailure(agent.isFailed);
    const capabilities = [...mendingCommands];
    outbox.setReport({
      ...bodies.report({ appliedRevision: revision, capabilities, ...said }),
      settings: reportedSettings(keeper.prepared()),
    });
    uplink.wake();
  };
  const keeper: SettingsKeeper = new SettingsKeeper(machine, {
    media: { apply },
    state,
    clock,
    random: random.next,
    moment: () => null,
    log,
    record: (kind, detail) => events.add(kind, detail),
    onAnswer: (applied) => {
      agent.noteInForce(applied.inForceRevision);
      outbox.setApplied(applied);
      uplink.wake();
    },
    onChange: () => {
      const { revision } = keeper.inForce();
      agent.noteInForce(revision);
      report();
    },
  });

  let current = '';
  const act = async (): Promise<ApplyOutcome> => {
    agent.noteDone(current);
    await wait(random.between(10, 1500));
    agent.mend();
    return { kind: 'applied' };
  };
  const actions: Partial<CommandActions> = {
    'restart-pipeline': act,
    'restart-media-host': act,
    'start-recording': act,
    'restart-agent': () => {
      agent.noteDone(current);
      clock.schedule(() => void agent.restart(), 10);
      return new Promise(() => undefined);
    },
    'rotate-credential': async ({ credential }) => {
      agent.noteDone(current);
      agent.credentials.add(credential);
      const before = uplink.credentials();
      if (before === null) throw new Error('expected to have joined');
      uplink.renew(await changeCredential(state, before, credential));
      return { kind: 'applied' };
    },
  };
  const journal = new CommandJournal(state, bootId);
  const begin = journal.begin.bind(journal);
  // The runner's actions are not told whose they are: the journal is, just before.
  journal.begin = (id, ends) => {
    current = id;
    return begin(id, ends);
  };
  const runner = new CommandRunner({
    journal,
    clock,
    log,
    actions: actions as CommandActions,
    onProgress: (progress) => uplink.sendCommandProgress(progress),
    onResult: (result) => {
      outbox.addResult(result);
      uplink.wake();
    },
  });
  const uplink: Uplink = new Uplink({
    fleetUrl,
    makeConnection: (options) => new SimulatedConnection(network, options, () => isAlive),
    credentials: () => readCredentials(state, { url: fleetUrl, joinToken: null }),
    sessions: new SessionCounter({ state, bootId, nowMs: clock.nowMs, log }),
    outbox,
    clock,
    random: random.next,
    log,
    policy: connectionPolicy,
    hello: () => {
      const { revision, digest } = keeper.inForce();
      const { board } = agent.parts;
      return { ...bodies.hello(revision, digest), inventoryDigest: someDigest, ...(board === null ? {} : { board }) };
    },
    onJoined: ({ deviceId }) => keeper.setDeviceId(deviceId),
    onProven: (proven) => {
      forgetFormer(state, proven).catch((cause: unknown) => log.warn(String(cause)));
    },
    onOnline: report,
    onDesired: (desired) => {
      agent.noteDesired(desired);
      keeper.offer(desired);
    },
    onCommand: (command, timeLeftMs) => runner.receive(command, timeLeftMs),
    onEventAck: (upToNumber) => events.acknowledge(upToNumber),
  });
  const sayHealth = (): void => {
    const health = { ...bodies.health(), ...saidOfFailure(agent.isFailed) };
    if (!uplink.sendHealth(health)) backlog.add(health);
    clock.schedule(sayHealth, healthMs);
  };

  await events.start();
  events.onReady(() => uplink.wake());
  await Promise.all([backlog.load(bootId), keeper.start(agent.parts.deviceId)]);
  await runner.start();
  keeper.reconcile();
  uplink.start();
  clock.schedule(sayHealth, random.between(0, healthMs));
  return {
    addEvent: (kind, detail) => events.add(kind, detail),
    report,
    inForce: () => keeper.inForce(),
    stop: async () => {
      const kept = Promise.all([keeper.stop(), runner.stop()]);
      await uplink.stop();
      await kept;
      await Promise.all([events.stop(), backlog.stop()]);
      isAlive = false;
    },
    end: () => {
      isAlive = false;
    },
  };
}
