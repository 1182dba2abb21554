/**
 * A run of the fleet server's own code and of some agents' own code on one virtual clock, over a network and disks that fail by chance from
 * a seed. What must hold is checked on the way and at the end; a violation is thrown as an error that says what was expected.
 */
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { routeUpward } from '#fleet-server/devices/upward-router.ts';
import type { DeviceList, History } from '#protocol/model/device.ts';
import type { DeviceSettings } from '#protocol/model/settings.ts';
import { type ApiUnderTest, startApi } from '../fleet-server/api-under-test.ts';
import { manualClock } from '../fleet-server/manual-clock.ts';
import { type Random, randomFrom } from './random.ts';
import { SimulatedAgent, type Upward, type Wire } from './simulated-agent.ts';

const stepMs = 500;
const faultySteps = 80;
/** After the last fault: back-off, event acknowledgements asked for again (30 s), and room. */
const quietMs = 90_000;
const keepaliveEndsMs = 15_000;
/** The agent’s journals are written again so soon after the disk has room. */
const diskWrittenAgainMs = 6000;
const agentCount = 3;
const secretKey = 'sim-secret-stream-key';

type Connection = {
  readonly agent: Member;
  /** Silent: nothing passes any more, and neither end knows it yet. */
  silentSinceMs: number | null;
  isOpen: boolean;
  readonly pending: Set<() => void>;
};

type Member = {
  readonly id: string;
  readonly credential: string;
  readonly agent: SimulatedAgent;
  connection: Connection | null;
  nextTryAtMs: number;
  nextHealthAtMs: number;
  /** When the server was told that the last connection is gone; null while there is one. */
  goneSinceMs: number | null;
  isDiskFull: boolean;
  /** Of its last turn from full to free. */
  diskFreeSinceMs: number;
  /** The value that an answer acknowledged last, and those of changes that were not answered since. */
  acknowledgedKbps: number | null;
  unansweredKbps: number[];
};

export async function simulate(seed: number): Promise<void> {
  const simulation = new Simulation(seed);
  try {
    await simulation.run();
  } finally {
    await simulation.close();
  }
}

class Simulation {
  readonly #random: Random;
  readonly #clock = manualClock();
  #api: ApiUnderTest | null = null;
  #directory: string | null = null;
  #members: Member[] = [];
  #logs = '';
  #count = 0;
  #serverStartedAtMs = 0;

  constructor(seed: number) {
    this.#random = randomFrom(seed);
  }

  async run(): Promise<void> {
    await this.#startServer();
    for (let index = 0; index < agentCount; index += 1) this.#members.push(await this.#join(index));
    for (let step = 0; step < faultySteps; step += 1) {
      await this.#misfortune();
      await this.#pass(stepMs);
      await this.#checkOnTheWay();
    }
    for (const member of this.#members) {
      member.isDiskFull = false;
      member.agent.state.failure = null;
      if (member.connection?.silentSinceMs !== null && member.connection !== null) this.#end(member.connection, 'keepalive-timeout');
    }
    for (let passedMs = 0; passedMs < quietMs; passedMs += 1000) await this.#pass(1000);
    await this.#checkTheEnd();
  }

  async close(): Promise<void> {
    for (const { agent } of this.#members) agent.kill();
    await this.#api?.close();
  }

  get #server(): ApiUnderTest {
    if (this.#api === null) throw new Error('expected a running server');
    return this.#api;
  }

  async #startServer(): Promise<void> {
    // In memory where there is such a place: a run waits for the disk some hundred times.
    this.#directory ??= await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'msl-simulation-'));
    this.#api = await startApi({ clock: this.#clock, directory: this.#directory });
    this.#serverStartedAtMs = this.#clock.nowMs();
  }

  async #join(index: number): Promise<Member> {
    const { deviceId: id, credential } = await this.#server.join({ name: `pi ${index}`, group: 'hall' });
    const agent = new SimulatedAgent(this.#clock);
    await agent.start();
    return {
      id,
      credential,
      agent,
      connection: null,
      nextTryAtMs: 0,
      nextHealthAtMs: 0,
      goneSinceMs: 0,
      isDiskFull: false,
      diskFreeSinceMs: 0,
      acknowledgedKbps: null,
      unansweredKbps: [],
    };
  }

  async #misfortune(): Promise<void> {
    const random = this.#random;
    const member = random.pick(this.#members as [Member, ...Member[]]);
    const { agent, connection } = member;
    const event = random.between(0, 99);
    this.#count += 1;
    if (event < 18) await this.#changeSettings(member);
    else if (event < 28) await this.#server.app.commands.request(this.#command(member)).catch(() => undefined);
    else if (event < 50) agent.happen(`sim-${this.#count}`);
    else if (event < 58 && connection !== null) this.#end(connection, 'connection-lost');
    else if (event < 66 && connection !== null) connection.silentSinceMs ??= this.#clock.nowMs();
    else if (event < 72) this.#turnDisk(member);
    else if (event < 77 && this.#isOnDisk(member)) await this.#powerCut(member);
    else if (event < 82) agent.jumpClock(random.between(-1e9, 1e9));
    else if (event < 87) await this.#restartServer(member);
  }

  /** A power cut while the disk refuses loses what could not be written: that is known, and not what is looked for. */
  #isOnDisk({ isDiskFull, diskFreeSinceMs }: Member): boolean {
    return !isDiskFull && this.#clock.nowMs() - diskFreeSinceMs > diskWrittenAgainMs;
  }

  #command(member: Member) {
    return { deviceId: member.id, kind: 'restart-pipeline', arguments: {}, requestedBy: 'admin' };
  }

  async #changeSettings(member: Member): Promise<void> {
    const kbps = 1000 + this.#count;
    member.unansweredKbps.push(kbps);
    await this.#server.app.settings.patch({ level: 'device', scope: member.id }, this.#patch(kbps), 'admin');
    member.acknowledgedKbps = kbps;
    member.unansweredKbps = [];
  }

  #patch(kbps: number) {
    return { AV_VIDEO_BITRATE: kbps, AV_STREAM_KEY: secretKey };
  }

  #turnDisk(member: Member): void {
    member.isDiskFull = !member.isDiskFull;
    member.diskFreeSinceMs = this.#clock.nowMs();
    member.agent.state.failure = member.isDiskFull ? Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }) : null;
  }

  async #powerCut(member: Member): Promise<void> {
    member.agent.kill();
    if (member.connection !== null) this.#end(member.connection, 'connection-lost');
    await member.agent.start();
    member.nextTryAtMs = this.#clock.nowMs() + this.#random.between(0, 5000);
  }

  /** In the middle of a change, as often as not. */
  async #restartServer(member: Member): Promise<void> {
    const kbps = 1000 + this.#count;
    const former = this.#server;
    let change: Promise<void> | null = null;
    if (this.#random.chance(0.5)) {
      member.unansweredKbps.push(kbps);
      change = former.app.settings.patch({ level: 'device', scope: member.id }, this.#patch(kbps), 'admin').then(
        () => {
          member.acknowledgedKbps = kbps;
          member.unansweredKbps = [];
        },
        () => undefined,
      );
      for (let left = this.#random.between(0, 6); left > 0; left -= 1) await turn();
    }
    for (const { connection } of this.#members) if (connection !== null) this.#drop(connection);
    this.#logs += former.logText();
    await former.stop();
    await change;
    const restBefore = new Map(this.#members.map((one) => [one.id, one.goneSinceMs]));
    await this.#startServer();
    for (const one of this.#members) one.goneSinceMs = restBefore.get(one.id) ?? this.#clock.nowMs();
    for (const { id, presence } of await this.#shown()) {
      if (presence.state === 'online') throw new Error(`expected ${id} not to be shown as online right after a restart of the server`);
    }
  }

  async #pass(ms: number): Promise<void> {
    for (const member of this.#members) {
      const nowMs = this.#clock.nowMs();
      const { connection } = member;
      if (connection === null && nowMs >= member.nextTryAtMs) this.#connect(member);
      else if (connection?.silentSinceMs != null && nowMs - connection.silentSinceMs >= keepaliveEndsMs)
        this.#end(connection, 'keepalive-timeout');
      if (nowMs >= member.nextHealthAtMs) {
        member.nextHealthAtMs = nowMs + 10_000;
        member.agent.sayHealth();
      }
      member.agent.noteWritten();
    }
    await this.#clock.advance(ms);
    this.#deliverDown();
  }

  #connect(member: Member): void {
    const connection: Connection = { agent: member, silentSinceMs: null, isOpen: true, pending: new Set() };
    member.connection = connection;
    member.goneSinceMs = null;
    this.#server.voice(member.id).connect();
    void member.agent.connected((session) => this.#wire(connection, session));
  }

  #wire(connection: Connection, _session: unknown): Wire {
    const send = (message: Upward) =>
      new Promise<void>((resolve, reject) => {
        const fail = () => reject(new Error('the connection is gone'));
        if (!connection.isOpen) {
          fail();
          return;
        }
        connection.pending.add(fail);
        this.#clock.after(this.#random.between(1, 400), () => {
          if (connection.silentSinceMs !== null || !connection.isOpen) return;
          const copies = this.#random.chance(0.1) ? 2 : 1;
          const taken = Array.from({ length: copies }, () => this.#take(connection, message));
          Promise.all(taken).then(
            () => {
              // The acknowledgement may be lost with the connection.
              if (!connection.isOpen || connection.silentSinceMs !== null) return;
              connection.pending.delete(fail);
              resolve();
            },
            () => undefined,
          );
        });
      });
    return {
      send,
      sendLossy: (message) => void (this.#random.chance(0.9) && connection.isOpen ? send(message).catch(() => undefined) : undefined),
    };
  }

  /** As the broker hands a message on: one that the server cannot deal with is acknowledged all the same. */
  async #take(connection: Connection, { name, ...rest }: Upward): Promise<void> {
    const sentAt = new Date(this.#clock.nowMs()).toISOString();
    const message = { deviceId: connection.agent.id, name, envelope: { v: 1, sentAt, ...rest } };
    await routeUpward(this.#server.app, structuredClone(message) as never).catch(() => undefined);
  }

  #deliverDown(): void {
    for (const { deviceId, name, body } of this.#server.published.splice(0)) {
      const member = this.#members.find(({ id }) => id === deviceId);
      const connection = member?.connection;
      if (member === undefined || connection == null || connection.silentSinceMs !== null) continue;
      // Late, and sometimes twice; over its own connection only.
      for (let copies = this.#random.chance(0.1) ? 2 : 1; copies > 0; copies -= 1) {
        this.#clock.after(this.#random.between(1, 400), () => {
          if (connection.isOpen && connection.silentSinceMs === null) member.agent.hear(name, body);
        });
      }
    }
  }

  #drop(connection: Connection): void {
    const { agent: member } = connection;
    connection.isOpen = false;
    for (const fail of connection.pending) fail();
    connection.pending.clear();
    member.connection = null;
    member.agent.disconnected();
    member.goneSinceMs = this.#clock.nowMs();
    member.nextTryAtMs = this.#clock.nowMs() + this.#random.between(500, 5000);
  }

  #end(connection: Connection, reason: string): void {
    if (!connection.isOpen) return;
    this.#drop(connection);
    this.#server.voice(connection.agent.id).disconnect(reason);
  }

  async #shown(): Promise<DeviceList['devices']> {
    const answer = await this.#server.request({ method: 'GET', url: '/api/v1/devices' });
    this.#logs += answer.body;
    return answer.json<DeviceList>().devices;
  }

  async #checkOnTheWay(): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const shown = await this.#shown();
    for (const { id, agent, goneSinceMs, connection } of this.#members) {
      const state = shown.find((device) => device.id === id)?.presence.state;
      if (goneSinceMs !== null && nowMs - goneSinceMs > 1500 && state === 'online') {
        throw new Error(`expected ${id} to be shown as gone ${nowMs - goneSinceMs} ms after its connection was closed, it is ${state}`);
      }
      if (connection?.silentSinceMs != null && nowMs - connection.silentSinceMs > 16_500 && state === 'online') {
        throw new Error(`expected ${id}, silent for ${nowMs - connection.silentSinceMs} ms, not to be shown as online`);
      }
      const isLostTooSoon = state === 'offline' && connection === null && nowMs - this.#serverStartedAtMs < keepaliveEndsMs;
      if (isLostTooSoon && goneSinceMs !== null && goneSinceMs === this.#serverStartedAtMs) {
        throw new Error(`expected ${id} to be unknown until its keepalive has run out after the restart, it is ${state}`);
      }
      for (const [commandId, times] of agent.done) if (times > 1) throw new Error(`command ${commandId} of ${id} was done ${times} times`);
      if (agent.revisions.some((revision, index) => index > 0 && revision <= (agent.revisions[index - 1] ?? 0))) {
        throw new Error(`expected the applied revision of ${id} only to grow, it was ${agent.revisions.join(', ')}`);
      }
    }
  }

  async #checkTheEnd(): Promise<void> {
    for (const member of this.#members) {
      const { id, agent } = member;
      const state = (await this.#shown()).find((device) => device.id === id)?.presence.state;
      if (state !== 'online') throw new Error(`expected ${id} to be online at the end, it is ${state}`);
      const settings = (await this.#server.request({ method: 'GET', url: `/api/v1/devices/${id}/settings` })).json<DeviceSettings>();
      const held = Number(agent.applied?.levels.device['AV_VIDEO_BITRATE'] ?? 0);
      const rightOnes = [member.acknowledgedKbps ?? 0, ...member.unansweredKbps];
      if (!rightOnes.includes(held)) throw new Error(`expected ${id} to hold ${rightOnes.join(' or ')} kbit/s, it holds ${held}`);
      if (settings.appliedRevision !== settings.desiredRevision || agent.applied?.revision !== settings.desiredRevision) {
        throw new Error(
          `expected ${id} at revision ${settings.desiredRevision}, it is at ${agent.applied?.revision}, shown as ${settings.appliedRevision}`,
        );
      }
      await this.#checkEvents(member);
    }
    const text = this.#logs + this.#server.logText();
    for (const secret of [secretKey, ...this.#members.map(({ credential }) => credential)]) {
      if (text.includes(secret)) throw new Error('expected no secret in any log or answer, found one');
    }
  }

  async #checkEvents({ id, agent }: Member): Promise<void> {
    const answer = await this.#server.request({ method: 'GET', url: `/api/v1/devices/${id}/history?limit=200` });
    this.#logs += answer.body;
    const kinds = answer
      .json<History>()
      .entries.map(({ kind }) => kind)
      .filter((kind) => kind.startsWith('sim-'));
    if (new Set(kinds).size !== kinds.length) throw new Error(`expected each event of ${id} once, got ${kinds.join(', ')}`);
    const lost = [...agent.owed].filter((kind) => !kinds.includes(kind));
    if (lost.length > 0) throw new Error(`events of ${id} were lost: ${lost.join(', ')}`);
  }
}
