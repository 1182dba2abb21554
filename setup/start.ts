/**
 * Everything on this machine: fleet server (with broker, database and relay) and one device agent that joins by itself.
 * Both are kept running; Ctrl-C stops them in order.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startMeAnew } from '#device/exit-codes.ts';
import { leanNodeFlags } from '#device/lean-node.ts';
import {
  type AgentReady,
  type FleetServerReady,
  parseAgentReady,
  parseFleetServerReady,
  parseKnownAnswer,
  parsePlaybackAnswer,
  welcomeLines,
} from './announcement.ts';
import { fleetServerFlags } from './fleet-server-flags.ts';
import { type ProcessExit, SupervisedProcess } from './supervised-process.ts';

const root = import.meta.dirname.slice(0, -'/setup'.length);
const fleetServerProgram = join(root, '.build', 'server', 'fleet-server.js');
const agentProgram = join(root, '.build', 'agent', 'agent.js');
const joinTokenLifeS = 600;
/** Two signals within this time are one Ctrl-C: the terminal's own and npm's. */
const sameCtrlCMs = 1500;
/** A fleet server that is starting is waited for this long when everything stops; it takes a second, and a slow card a few. */
const longestStartMs = 20_000;

const homeDirectory = process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share');
const dataDirectory = process.env['FLEET_DATA_DIR'] ?? join(homeDirectory, 'makespacelive', 'fleet-server');
const stateDirectory = process.env['AGENT_STATE_DIR'] ?? join(homeDirectory, 'makespacelive', 'agent');

const credentialsFile = join(stateDirectory, 'credentials.json');

/** Settings of the device stay with the device, and the server's secrets with the server. */
function environmentWithout(prefix: string): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith(prefix)));
}
/** At a terminal only what needs attention is said; the programs themselves log more. */
const quiet: NodeJS.ProcessEnv = { FLEET_LOG_LEVEL: 'warn', AGENT_LOG_LEVEL: 'warn' };
const fleetServerEnvironment: NodeJS.ProcessEnv = { ...quiet, ...environmentWithout('AV_'), FLEET_DATA_DIR: dataDirectory };

let fleetServerReady: FleetServerReady | undefined;
let agentReady: AgentReady | undefined;
let isStopping = false;
/** The fleet server that runs now has said that it is ready. */
let isServing = false;
/** Called when the fleet server has said that it is ready, or has ended. */
let onFleetServerSettled = (): void => undefined;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Who this machine's device is to its fleet; undefined before it has joined, or when its file is damaged (the agent sets that aside). */
function joinedDeviceId(): string | undefined {
  if (!existsSync(credentialsFile)) return undefined;
  try {
    const { deviceId } = JSON.parse(readFileSync(credentialsFile, 'utf8')) as { deviceId?: unknown };
    return typeof deviceId === 'string' ? deviceId : undefined;
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

/** The fleet server's data was removed, or the device was: its credentials open nothing any more. */
function forgetJoining(): void {
  say('This fleet server does not know the device of this machine: it joins anew.');
  renameSync(credentialsFile, `${credentialsFile}.unknown-to-the-fleet`);
}

async function makeJoinToken(): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [fleetServerProgram, 'join-token', '--uses', '1', '--expires-in', String(joinTokenLifeS)],
    { env: fleetServerEnvironment, timeout: 20_000 },
  );
  return stdout.trim();
}

const fleetServer = new SupervisedProcess({
  name: 'the fleet server',
  command: [process.execPath, ...fleetServerFlags, fleetServerProgram],
  environment: async () => fleetServerEnvironment,
  onMessage(message) {
    const ready = parseFleetServerReady(message);
    const known = parseKnownAnswer(message);
    const playback = parsePlaybackAnswer(message);
    if (ready !== undefined) {
      isServing = true;
      onFleetServerSettled();
    }
    if (isStopping) return;
    if (ready !== undefined && fleetServerReady === undefined) {
      fleetServerReady = ready;
      const deviceId = joinedDeviceId();
      if (deviceId === undefined) startAgent();
      else fleetServer.send({ kind: 'is-known', deviceId });
    } else if (known !== undefined) {
      if (!known.isKnown) forgetJoining();
      startAgent();
    } else if (ready !== undefined) {
      say('The fleet server runs again.');
    } else if (playback !== undefined && fleetServerReady !== undefined && agentReady !== undefined) {
      for (const line of welcomeLines(fleetServerReady, agentReady, playback)) say(line);
    }
  },
  onExit: (exit, restartInMs) => {
    isServing = false;
    onFleetServerSettled();
    // Before it ever ran, its own words on the way out say what is wrong with the configuration: trying again cannot help.
    if (fleetServerReady === undefined) {
      void shutDown(exit.code ?? 1);
      return false;
    }
    say(`The fleet server ended (${describe(exit)}); starting it again in ${restartInMs} ms.`);
    return true;
  },
});

const agent = new SupervisedProcess({
  name: 'the device agent',
  command: [process.execPath, ...leanNodeFlags, agentProgram],
  async environment() {
    const own: NodeJS.ProcessEnv = {
      ...quiet,
      ...environmentWithout('FLEET_'),
      AGENT_STATE_DIR: stateDirectory,
      FLEET_URL: fleetServerReady?.url,
    };
    if (joinedDeviceId() === undefined) own['FLEET_JOIN_TOKEN'] = await makeJoinToken();
    return own;
  },
  onMessage(message) {
    const ready = parseAgentReady(message);
    if (ready === undefined) return;
    const isFirst = agentReady === undefined;
    agentReady = ready;
    if (isFirst) fleetServer.send({ kind: 'playback', deviceId: ready.deviceId });
    else say(`The device agent runs again: ${ready.source}.`);
  },
  onExit: (exit, restartInMs) => {
    if (agentReady === undefined && exit.code !== null && exit.code !== 0 && exit.code !== startMeAnew) {
      void shutDown(exit.code);
      return false;
    }
    say(`The device agent ended (${describe(exit)}); starting it again in ${restartInMs} ms.`);
    return true;
  },
});

function startAgent(): void {
  say('The fleet server runs. Starting the device agent.');
  agent.start().catch((cause: unknown) => {
    process.stderr.write(
      `MakeSpaceLive: the device agent could not be started: ${cause instanceof Error ? cause.message : String(cause)}\n`,
    );
    void shutDown(1);
  });
}

function describe({ code, signal }: ProcessExit): string {
  return signal ?? `exit code ${code}`;
}

async function shutDown(exitCode: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  // The device first: it says goodbye to a fleet server that still listens.
  await agent.stop();
  // A fleet server that was killed a moment ago left its relay running, and only one that has started finds and ends it. One that is told to
  // stop while it starts would leave it, too.
  if (!isServing && (fleetServerReady !== undefined || fleetServer.processId() !== undefined)) {
    const settled = new Promise<void>((resolve) => {
      onFleetServerSettled = resolve;
    });
    await fleetServer.start();
    await Promise.race([settled, after(longestStartMs)]);
  }
  await fleetServer.stop();
  if (exitCode === 0) say('Stopped.');
  process.exit(exitCode);
}

let firstSignalAtMs = 0;
function onSignal(): void {
  if (!isStopping) {
    firstSignalAtMs = performance.now();
    say('\nStopping.');
    void shutDown(0);
  } else if (performance.now() - firstSignalAtMs > sameCtrlCMs) {
    say('Still stopping: a moment.');
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
if (process.channel !== undefined) process.on('disconnect', onSignal);

mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
say('Starting the fleet server.');
await fleetServer.start();
