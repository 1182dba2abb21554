/** `makespacelive agent`: composes the agent. Settings come from the environment (AV_*, FLEET_URL, FLEET_JOIN_TOKEN, AGENT_STATE_DIR). */
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { Agent } from '#device/agent.ts';
import { rebootBoard } from '#device/command-line/reboot.ts';
import type { OptionValues } from '#device/command-line/subcommands.ts';
import { LogTail } from '#device/commands/log-tail.ts';
import { type Configuration, describeProblem, describeProblems, environmentOf, readConfiguration } from '#device/configuration.ts';
import { localMachine, runProgram } from '#device/detect/local-machine.ts';
import type { Check } from '#device/doctor/check.ts';
import { startMeAnew } from '#device/exit-codes.ts';
import { hardwareFingerprint } from '#device/health/hardware-fingerprint.ts';
import { programVersion } from '#device/installation.ts';
import { createLog, type Log } from '#device/logging.ts';
import { systemClock } from '#device/media/clock.ts';
import { MediaHostSupervisor } from '#device/media/media-host-supervisor.ts';
import { describePlan } from '#device/plan/plan.ts';
import { detectWithEncoders } from '#device/profile/detect-with-encoders.ts';
import { describeProfileProblem, loadUsableProfiles } from '#device/profile/load.ts';
import type { EncoderMemory } from '#device/profile/probe-encoders.ts';
import { resolveProfile } from '#device/profile/resolve.ts';
import { askMachineClock } from '#device/schedule/machine-clock.ts';
import { serviceManagerOf } from '#device/service/service-manager.ts';
import { fitSettings } from '#device/settings/prepare.ts';
import { forgetfulEncoderMemory, loadEncoderMemory } from '#device/state/encoder-memory.ts';
import { findHomeDirectory } from '#device/state/home-directory.ts';
import { runtimeDirectories } from '#device/state/runtime-directory.ts';
import { errorText, StateDirectory } from '#device/state/state-directory.ts';
import { lockStateDirectory } from '#device/state/state-lock.ts';
import { readBoardIdentity } from '#device/uplink/board-identity.ts';
import { isFromAnotherBoard } from '#device/uplink/copied-card.ts';
import { bindCredentials, type Credentials, joinAgainAdvice, readCredentials, whyCredentialsAreLost } from '#device/uplink/credentials.ts';
import type { HardwareProfiles } from '#hardware-profiles/schema.ts';
import type { BoardIdentity } from '#protocol/messages.ts';

/** Whoever stops the agent waits 5 s. */
const stopDeadlineMs = 4500;
const exitCodes = { failed: 1, configuration: 2, busy: 3, stateDirectory: 4, startMeAnew } as const;

export async function runAgent(options: OptionValues): Promise<number> {
  const isBalenaDataWritable = await access('/data', constants.W_OK).then(
    () => true,
    () => false,
  );
  const read = readConfiguration(process.env, { homeDirectory: findHomeDirectory(), isBalenaDataWritable });
  if (read.kind === 'problems') return refuse(describeProblems(read.problems), exitCodes.configuration);
  const { configuration } = read;
  if (options['print-pipeline'] === true) return await printPipeline(configuration);
  const logTail = new LogTail();
  const log = createLog(configuration.logLevel, undefined, logTail.add);
  for (const problem of configuration.refused) log.error(`left out: ${describeProblem(problem)}`);
  for (const name of configuration.unknownNames) log.warn(`${name} is set, and is no setting of this agent`);
  try {
    return await run(configuration, log, logTail);
  } catch (cause) {
    // Only what nobody foresaw comes here; a stack may show arguments, so the text is all that is said.
    log.error(`the agent cannot start: ${errorText(cause)}`);
    process.exit(exitCodes.failed);
  }
}

async function run(configuration: Configuration, log: Log, logTail: LogTail): Promise<number> {
  const { stateDirectory, fleet } = configuration;
  const state = new StateDirectory(stateDirectory, log);
  try {
    await state.start();
  } catch (cause) {
    const advice = 'set AGENT_STATE_DIR to a directory that this user may write';
    return refuse(`The state directory ${stateDirectory} cannot be used (${errorText(cause)}): ${advice}.`, exitCodes.stateDirectory);
  }
  const lock = await lockStateDirectory(stateDirectory);
  if (lock.kind === 'busy') {
    const advice = 'stop it, or give this one another AGENT_STATE_DIR';
    return refuse(`Another agent (process ${lock.holder}) uses the state directory ${stateDirectory}: ${advice}.`, exitCodes.busy);
  }
  const found = fleet === null ? null : await readCredentials(state, fleet);
  const board = await readBoardIdentity({ readFile: localMachine().readFile, given: configuration.boardId });
  const copyOf = isFromAnotherBoard(found, board) ? found : null;
  const credentials = copyOf === null ? await ofThisBoard(found, board, state, log) : null;
  const loss = fleet !== null && found === null ? await whyCredentialsAreLost(state) : null;
  if (loss !== null) {
    const way = fleet?.joinToken == null ? `and its fleet does not hear of it. ${joinAgainAdvice}` : 'and joins again, under a new name';
    log.error(`${loss}: the device goes on with the settings that it has, ${way}`);
  }
  if (fleet !== null && found === null && fleet.joinToken === null && loss === null) {
    await lock.release();
    const problem = {
      key: 'FLEET_JOIN_TOKEN',
      expected: `a join token, because this device has not joined ${fleet.url} yet`,
      came: 'nothing',
    };
    return refuse(describeProblems([problem]), exitCodes.configuration);
  }
  const [{ profiles, problems }, encoderMemory] = await Promise.all([loadUsableProfiles(), loadEncoderMemory(state, log)]);
  const leftOutProfiles = problems.map(describeProfileProblem);
  for (const problem of leftOutProfiles) log.error(`a hardware profile is done without: ${problem}`);
  const service = serviceManagerOf(process.env, process.pid, systemClock.monotonicMs);
  const agent: Agent = new Agent({
    restartAgent: () => begin('to be started anew', exitCodes.startMeAnew),
    reboot: rebootBoard,
    examine: (onCheck) => examineBeside(configuration, { profiles, leftOutProfiles }, encoderMemory, onCheck),
    configuration,
    state,
    credentials,
    hasLostCredentials: loss !== null,
    copyOf,
    board,
    media: new MediaHostSupervisor({ stateDirectory, directories: () => runtimeDirectories(stateDirectory), clock: systemClock, log }),
    detect: (known) => detectWithEncoders(localMachine(), profiles, encoderMemory, stateDirectory, known),
    hardwareFingerprint: () => hardwareFingerprint(),
    askMachineClock: () => askMachineClock(systemClock),
    profiles,
    leftOutProfiles,
    versions: { agent: await programVersion(), node: process.versions.node, os: await osName() },
    clock: systemClock,
    random: Math.random,
    log,
    logTail,
    service,
    // For whoever started us with a channel; nobody else listens.
    onReady: (ready) => tellSupervisor({ kind: 'ready', ...ready }, log),
  });
  const begin = stopOnRequest(async () => {
    await Promise.all([service?.stopping(), agent.stop()]);
    await lock.release();
  }, log);
  await agent.start();
  service?.ready();
  return 0;
}

/** Credentials from before boards were told apart are those of the board that they are on. */
async function ofThisBoard(
  found: Credentials | null,
  board: BoardIdentity | null,
  state: StateDirectory,
  log: Log,
): Promise<Credentials | null> {
  if (found === null || board === null || found.boardId !== undefined) return found;
  const bound = { ...found, boardId: board.id };
  await bindCredentials(state, bound).catch((cause: unknown) => log.warn(`cannot keep on disk which board this is (${errorText(cause)})`));
  return bound;
}

type KnownProfiles = { readonly profiles: HardwareProfiles; readonly leftOutProfiles: readonly string[] };

/** Loaded only then: an agent that nobody asks need not carry it. Nothing is published: the agent's own streams go on. */
async function examineBeside(
  configuration: Configuration,
  known: KnownProfiles,
  memory: EncoderMemory,
  onCheck: (check: Check) => void,
): Promise<readonly Check[]> {
  const { examine } = await import('#device/doctor/doctor.ts');
  const detect = () => detectWithEncoders(localMachine(), known.profiles, memory, configuration.stateDirectory);
  return examine({ configuration, detect, ...known, clock: systemClock, run: runProgram, mayPublish: false, onCheck });
}

type BeginStop = (why: string, exitCode?: number) => void;

/** A signal, or the end of a supervisor that started us with a channel. The function that it gives back begins the same. */
function stopOnRequest(stop: () => Promise<void>, log: Log): BeginStop {
  let isStopping = false;
  const begin: BeginStop = (why, exitCode = 0) => {
    if (isStopping) return;
    isStopping = true;
    log.info(`stopping (${why})`);
    const deadline = setTimeout(() => process.exit(exitCode), stopDeadlineMs);
    stop()
      .catch((cause: unknown) => log.error(`stopping: ${errorText(cause)}`))
      .finally(() => {
        clearTimeout(deadline);
        process.exit(exitCode);
      });
  };
  process.on('SIGTERM', () => begin('SIGTERM'));
  process.on('SIGINT', () => begin('SIGINT'));
  if (process.channel !== undefined) process.on('disconnect', () => begin('its supervisor is gone'));
  return begin;
}

/** A channel that closes meanwhile is no fault: its end is told by an event of its own, and stops us. */
function tellSupervisor(message: object, log: Log): void {
  if (!process.connected) return;
  process.send?.(message, undefined, undefined, (error) => {
    if (error !== null) log.warn(`the supervisor could not be told that the agent is ready: ${error.message}`);
  });
}

async function printPipeline(configuration: Configuration): Promise<number> {
  const { profiles, problems } = await loadUsableProfiles();
  const hardware = await detectWithEncoders(localMachine(), profiles, forgetfulEncoderMemory(), configuration.stateDirectory);
  const profile = resolveProfile(hardware, profiles);
  const prepared = fitSettings(null, { hardware, profile, ...environmentOf(configuration) });
  const lines = [
    describePlan(prepared.plan),
    ...(prepared.shortfall === null ? [] : [`mode-not-met: ${prepared.shortfall}`]),
    ...prepared.leftOut.map(({ reason }) => `left out: ${reason}`),
    ...problems.map((problem) => `left out: ${describeProfileProblem(problem)}`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}

/** os-release(5). */
async function osName(): Promise<string> {
  const content = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(content)?.[1] ?? 'unknown';
}

function refuse(message: string, exitCode: number): number {
  process.stderr.write(`${message}\n`);
  return exitCode;
}
