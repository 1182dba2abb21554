/**
 * A run of the fleet server's own code and of some agents' own code on one virtual clock, over a network, disks and clocks that fail by
 * chance from a seed, with a server that may be killed between any two of its statements. What must hold is checked at every moment and
 * at the end; a violation is thrown as an error that says what was expected.
 */
import { createHash } from 'node:crypto';
import { lossPolicy } from '#fleet-server/devices/losses.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';
import { AlertsWatch } from './alerts-watch.ts';
import { Beliefs } from './beliefs.ts';
import { ConnectionsWatch } from './connections-watch.ts';
import * as invariants from './invariants.ts';
import { faultyRates, Link, noRates, type Rates } from './link.ts';
import { MaintenanceWatch } from './maintenance-watch.ts';
import { misfortune } from './misfortunes.ts';
import { endMaintenance, flap, takeBack } from './operations.ts';
import { type Random, randomFrom } from './random.ts';
import { RolloutsWatch } from './rollouts-watch.ts';
import type { Sabotage } from './sabotage.ts';
import { seedEverything } from './seeded-chance.ts';
import { boardOf, SimulatedAgent } from './simulated-agent.ts';
import { SimulatedChannel } from './simulated-channel.ts';
import type { Network } from './simulated-connection.ts';
import { SimulatedDatabase } from './simulated-database.ts';
import { simulatedSecrets } from './simulated-secrets.ts';
import { SimulatedServer } from './simulated-server.ts';
import { VirtualTime, type WallClock } from './virtual-time.ts';
import { simulatedPolicy, WatchdogWatch } from './watchdog-watch.ts';
import { type Member, type Promised, promised } from './world.ts';

const agentCount = 3;
/** Blow upon blow, or with time in between for what takes its time: a wave, a restart that does not help, an alert. */
const paces = [
  { misfortunes: 50, longestPauseMs: 900 },
  { misfortunes: 50, longestPauseMs: 900 },
  { misfortunes: 35, longestPauseMs: 4000 },
] as const;
const lookEveryMs = 100;
/**
 * After the last fault everything is as it must be within this time: a silent connection is noticed (16 s), the back-off of a device is
 * over (45 s), what was lost is said again (30 s), and a revision that does not run is taken back (20 s).
 */
export const settledWithinMs = 150_000;
/** Each of two boards is heard again after the other: a back-off may have grown to 45 s. */
const doubledWithinMs = 60_000;
/** Each of five losses with what it takes to come back. */
const flappingToldWithinMs = 300_000;
/** For what is calm, and for a look. */
const quietWithinMs = 15_000;
/** What is late must come while somebody looks. */
const afterwardsMs = 5000;

export type Outcome = {
  /** From the last fault to when everything was as it must be. */
  readonly settledMs: number;
  /** Of everything that the server said in its log: the same for the same seed. */
  readonly digest: string;
};

export async function simulate(seed: number, sabotage: Sabotage | null = null): Promise<Outcome> {
  await SimulatedDatabase.prepare();
  simulatedSecrets();
  const random = randomFrom(seed);
  const unseed = seedEverything(randomFrom(seed + 2 ** 31));
  const simulation = new Simulation(random, sabotage);
  try {
    return await simulation.run();
  } finally {
    simulation.close();
    unseed();
  }
}

export class Simulation implements Network {
  readonly random: Random;
  readonly sabotage: Sabotage | null;
  readonly time = new VirtualTime();
  readonly #rates: Rates = { ...faultyRates };
  readonly #serverWall: WallClock = { offsetMs: 0 };
  readonly #secrets: Secrets;
  #database: SimulatedDatabase | null = null;
  #server: SimulatedServer | null = null;
  #startDueAtMs = 0;
  /** Of the server's clock. */
  #furthestMs = 0;
  readonly members: Member[] = [];
  readonly settings: Promised[] = [promised('fleet', '', 'AV_AUDIO_BITRATE'), promised('group', 'hall', 'AV_KEYFRAME_INTERVAL')];
  /** Of those that an answer gave. */
  readonly commands = new Set<string>();
  readonly secretValues = new Set<string>();
  /** Everything that was logged and answered. */
  readonly told: string[] = [];
  readonly #beliefs = new Beliefs();
  readonly #channel: SimulatedChannel;
  readonly alerts: AlertsWatch;
  readonly #watchdog = new WatchdogWatch();
  readonly rollouts = new RolloutsWatch();
  readonly maintenance = new MaintenanceWatch();
  readonly #connections = new ConnectionsWatch();
  readonly relay = { isDown: false };
  #copy: SimulatedAgent | null = null;
  /** For values that are used once. */
  count = 0;

  constructor(random: Random, sabotage: Sabotage | null) {
    this.random = random;
    this.sabotage = sabotage;
    this.#channel = new SimulatedChannel(this.time, random);
    this.alerts = new AlertsWatch(this.#channel);
    const secrets = simulatedSecrets();
    const asItIs = { ...secrets, seal: (text: string) => text, open: (text: string) => text };
    this.#secrets = sabotage === 'secret stored as it is' ? asItIs : secrets;
  }

  async run(): Promise<Outcome> {
    this.#database = await SimulatedDatabase.create();
    await this.#startServer();
    await this.#writeRules();
    for (let index = 0; index < agentCount; index += 1) await this.#join(index);
    const { misfortunes, longestPauseMs } = this.random.pick(paces);
    for (let number = 0; number < misfortunes; number += 1) {
      await misfortune(this);
      await this.#pass(this.random.between(20, longestPauseMs));
    }
    this.#endFaults();
    const settledMs = await this.#settle();
    const newest = this.rollouts.newest(this.database);
    if (newest !== null && newest.state !== 'rolled-back' && this.random.chance(0.5)) {
      takeBack(this, newest.id);
      await this.#settle();
    }
    await this.#pass(afterwardsMs);
    await this.#checkTheEnd();
    if (this.random.chance(0.15)) await this.#calmDown(this.random.pick(this.members as [Member, ...Member[]]));
    if (this.random.chance(0.25)) await this.#double(this.random.pick(this.members as [Member, ...Member[]]));
    return { settledMs, digest: digestOf(this.told) };
  }

  /** Until all is as it must be; answers how long that took. */
  async #settle(): Promise<number> {
    const fromMs = this.time.nowMs;
    for (let problems: readonly string[] = ['nothing was looked at']; problems.length > 0; ) {
      if (this.time.nowMs - fromMs > settledWithinMs)
        throw new Error(`${settledWithinMs / 1000} s after the last fault: ${problems.join('; ')}`);
      endMaintenance(this);
      await this.#pass(1000);
      const server = this.liveServer();
      problems = server === null ? ['no server runs'] : this.#unsettled(server);
    }
    return this.time.nowMs - fromMs;
  }

  #unsettled(server: SimulatedServer): string[] {
    return [
      ...invariants.unsettled(server, this.database, this.members),
      ...this.alerts.unsettled(this.database),
      ...this.rollouts.unsettled(this.database),
    ];
  }

  async #writeRules(): Promise<void> {
    const server = this.liveServer();
    if (server === null) throw new Error('expected a server that takes rules');
    await this.alerts.writeRules(server);
    await server.app.watchdogPolicies.set({ level: 'fleet', scope: '' }, simulatedPolicy, 'admin');
  }

  close(): void {
    for (const { agent } of this.members) agent.kill();
    this.#copy?.kill();
    this.#server?.kill(true);
    this.#database?.close();
  }

  get database(): SimulatedDatabase {
    if (this.#database === null) throw new Error('expected a database');
    return this.#database;
  }

  /** Null: none runs. */
  liveServer(): SimulatedServer | null {
    return this.#server?.isAlive === true ? this.#server : null;
  }

  /** The one that listens, for devices. */
  server(): SimulatedServer | null {
    return this.liveServer();
  }

  makeLink(onClosed: { device(reason: string): void; server(reason: string): void }): Link {
    return new Link({ time: this.time, random: this.random, rates: this.#rates, onClosed });
  }

  onLink(deviceId: string, link: Link): void {
    const member = this.members.find(({ id }) => id === deviceId);
    if (member !== undefined) member.link = link;
  }

  isUnreachable(deviceId: string): boolean {
    return this.members.find(({ id }) => id === deviceId)?.isUnreachable ?? false;
  }

  /** It has ended, or is about to be ended: another one comes after a while. */
  startServerAfter(ms: number): void {
    this.#startDueAtMs = this.time.nowMs + ms;
  }

  jumpServerClock(byMs: number): void {
    this.#serverWall.offsetMs += byMs;
    this.#furthestMs = Math.max(this.#furthestMs, this.#serverWall.offsetMs);
  }

  /** Counts as said to whoever asked. */
  answer<T>(value: T): T {
    this.told.push(JSON.stringify(value) ?? '');
    return value;
  }

  async #startServer(): Promise<void> {
    const server = new SimulatedServer({
      time: this.time,
      wall: this.#serverWall,
      random: this.random,
      database: this.database,
      secrets: this.#secrets,
      sabotage: this.sabotage,
      onLog: (line) => this.told.push(line),
      channel: this.#channel,
      isRelayDown: () => this.relay.isDown,
      isPublishing: (deviceId) => this.members.find(({ id }) => id === deviceId)?.agent.isPublishing === true,
    });
    this.#server = server;
    server.onDeath(() => this.startServerAfter(this.random.between(200, 12_000)));
    if (this.members.length === agentCount && this.#rates.lost > 0 && this.random.chance(0.1))
      server.killAfter(this.random.between(1, 200));
    await server.start().catch((cause: unknown) => {
      if (server.isAlive) server.failedToStart(cause);
    });
  }

  async #join(index: number): Promise<void> {
    const server = this.liveServer();
    if (server === null) throw new Error('expected a server to join at');
    const { deviceId, credential } = await server.join(`pi ${index}`, 'hall');
    const board = index === 0 ? boardOf(`pi ${index}`) : null;
    const agent = new SimulatedAgent({ network: this, random: this.random, deviceId, credential, board });
    this.members.push({
      id: deviceId,
      agent,
      joinedAtMs: this.time.nowMs,
      link: null,
      isUnreachable: false,
      isFlapping: false,
      isDiskRefusing: false,
      diskFreeSinceMs: 0,
      shownRevision: 0,
    });
    this.settings.push(promised('device', deviceId, 'AV_VIDEO_BITRATE'), promised('device', deviceId, 'AV_STREAM_KEY'));
    await agent.start();
  }

  async #pass(ms: number): Promise<void> {
    for (let leftMs = ms; leftMs > 0; leftMs -= lookEveryMs) {
      await this.time.pass(Math.min(leftMs, lookEveryMs));
      if (this.liveServer() === null && this.time.nowMs >= this.#startDueAtMs) await this.#startServer();
      const server = this.liveServer();
      this.#look(server);
      for (const member of this.members) {
        if (server !== null) invariants.checkPresence(server, member, this.time.nowMs);
        invariants.checkDevice(member);
        member.agent.noteWritten();
      }
    }
    for (const member of this.members) {
      invariants.checkShownRevision(this.database, member);
      if (invariants.isSeenTwice(this.database, member.id)) throw new Error(`expected one board of ${member.id}, two were seen`);
    }
  }

  #look(server: SimulatedServer | null): void {
    const { database, members } = this;
    const beliefs = this.#beliefs;
    beliefs.look(server, database.isFull, members, this.time.nowMs, this.relay.isDown);
    this.maintenance.look(server, database, members, beliefs);
    this.#watchdog.look(server, database, members, beliefs);
    this.alerts.look(server, database, members, beliefs);
    this.#connections.look(server, database, members, beliefs);
    this.rollouts.look(database, members, beliefs, server !== null);
  }

  #endFaults(): void {
    this.#channel.isFaulty = false;
    Object.assign(this.#rates, noRates);
    this.database.setFull(false);
    this.relay.isDown = false;
    // What waits for a time of day waits for a minute at most.
    this.#serverWall.offsetMs = this.#furthestMs;
    this.#server?.killAfter(null);
    this.#startDueAtMs = Math.min(this.#startDueAtMs, this.time.nowMs + 5000);
    for (const member of this.members) {
      member.isUnreachable = false;
      member.isFlapping = false;
      member.agent.state.failure = null;
      member.agent.isPictureFaulty = false;
      member.agent.isStreamLost = false;
    }
  }

  /** A connection comes and goes, over a kill of the server too, is told of, and then holds. */
  async #calmDown(member: Member): Promise<void> {
    const fromMs = this.time.nowMs;
    flap(this, member);
    await this.#pass(this.random.between(20_000, 60_000));
    this.liveServer()?.kill(this.random.chance(0.5));
    this.startServerAfter(this.random.between(200, 12_000));
    while (this.#connections.open(this.database).length === 0) {
      if (this.time.nowMs - fromMs > flappingToldWithinMs) throw new Error(`expected an alert of ${member.id}, which comes and goes`);
      await this.#pass(1000);
    }
    member.isFlapping = false;
    member.isUnreachable = false;
    await this.#settle();
    await this.#pass(lossPolicy.quietMs + quietWithinMs);
    const [left] = this.#connections.open(this.database);
    if (left !== undefined) throw new Error(`expected the alert to be over, nothing was lost for ${lossPolicy.quietMs} ms: ${left}`);
  }

  /** The last that happens: what else must hold is not said of a device that is two. */
  async #double({ id, agent }: Member): Promise<void> {
    this.#copy = agent.copy();
    await this.#copy.start();
    const fromMs = this.time.nowMs;
    while (!invariants.isSeenTwice(this.database, id)) {
      if (this.time.nowMs - fromMs > doubledWithinMs) throw new Error(`expected the second board of ${id} to be noticed`);
      await this.time.pass(lookEveryMs);
    }
  }

  async #checkTheEnd(): Promise<void> {
    const server = this.liveServer();
    if (server === null) throw new Error('expected a server at the end');
    invariants.checkSettings(this.members, this.settings);
    invariants.checkCommands(this.database, this.members, this.commands);
    this.#watchdog.checkTheEnd(this.database, this.members);
    this.alerts.checkTheEnd(this.database);
    this.rollouts.checkTheEnd(this.database, this.members);
    for (const member of this.members) {
      invariants.checkEventsOnce(this.database, member);
      for (const credential of member.agent.credentials) this.secretValues.add(credential);
      this.secretValues.add(server.app.devices.rights.streamKeyFor(member.id));
      this.told.push(...member.agent.log.lines);
      this.answer(await server.app.settings.ofDevice(member.id));
      this.answer(await server.app.settings.revisions({ level: 'device', scope: member.id }, { limit: 100, before: null }));
      this.answer(await server.app.history.page(member.id, { limit: 500 }));
      this.answer(await server.app.commands.list(member.id, 200));
      this.answer(server.app.devices.get(member.id)?.report);
    }
    invariants.checkSecrets(this.told.join('\n') + this.database.text(), this.secretValues);
  }
}

function digestOf(lines: readonly string[]): string {
  const hash = createHash('sha256');
  // Pino's own clock is the machine's.
  for (const line of lines) hash.update(line.replaceAll(/"(?:time|pid)":\d+/g, ''));
  return hash.digest('hex');
}
