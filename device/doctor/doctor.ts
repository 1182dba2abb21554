/**
 * Looks at everything that a stream needs, by trying it. A running agent holds the camera and streams already: then its word
 * is taken for what it holds, so that the doctor never disturbs a stream.
 */
import { type Configuration, environmentOf } from '#device/configuration.ts';
import type { DetectedHardware } from '#device/detect/facts.ts';
import { type AgentStatus, askAgent } from '#device/doctor/agent-status.ts';
import { agentsWord } from '#device/doctor/agents-word.ts';
import { BenchHost } from '#device/doctor/bench-host.ts';
import { type Check, fail, pass, warn } from '#device/doctor/check.ts';
import { checkFleet } from '#device/doctor/fleet-checks.ts';
import {
  checkCamera,
  checkElements,
  checkEncoders,
  checkMicrophone,
  checkSight,
  checkTargets,
  type MediaSubject,
} from '#device/doctor/media-checks.ts';
import { checkDisk, checkNames, judgeClock } from '#device/doctor/place-checks.ts';
import { checkRecordingDirectory } from '#device/doctor/recording-check.ts';
import { measureOffset } from '#device/health/fleet-clock.ts';
import type { RunTool } from '#device/health/power.ts';
import type { Clock } from '#device/media/clock.ts';
import { findHost } from '#device/media/host-process.ts';
import type { IcecastOutputPlan, RtmpOutputPlan } from '#device/plan/pipeline-plan.ts';
import { resolveProfile } from '#device/profile/resolve.ts';
import { askSynchronised } from '#device/schedule/machine-clock.ts';
import { lastDeviceId, readLastGood } from '#device/settings/last-good-file.ts';
import { fitSettings, type Prepared } from '#device/settings/prepare.ts';
import { foundStandIns } from '#device/state/runtime-directory.ts';
import { errorText, StateDirectory } from '#device/state/state-directory.ts';
import { readCredentials, whyCredentialsAreLost } from '#device/uplink/credentials.ts';
import { fleetTrust } from '#device/uplink/fleet-trust.ts';
import type { HardwareProfiles } from '#hardware-profiles/schema.ts';
import type { ConditionCode } from '#protocol/conditions.ts';
import type { Health } from '#protocol/messages.ts';

export type DoctorOptions = {
  readonly configuration: Configuration;
  readonly detect: () => Promise<DetectedHardware>;
  readonly profiles: HardwareProfiles;
  /** Of which files are damaged: file, field and reason. */
  readonly leftOutProfiles: readonly string[];
  readonly clock: Clock;
  readonly run: RunTool;
  /** Whether two seconds of a test picture may be sent to the targets. */
  readonly mayPublish: boolean;
  /** Each check as soon as it is made. */
  readonly onCheck: (check: Check) => void;
};

type Target = RtmpOutputPlan | IcecastOutputPlan;

/** Adds what a check finds. One that cannot be made is a line, too, and keeps no other from being made. */
type Make = (subject: string, check: () => Promise<readonly Check[]>) => Promise<void>;

export async function examine(options: DoctorOptions): Promise<readonly Check[]> {
  const checks: Check[] = [];
  const make: Make = async (subject, check) => {
    const found = await check().catch((cause: unknown) => [notMade(subject, cause)]);
    checks.push(...found);
    found.forEach(options.onCheck);
  };
  const { configuration, clock, run } = options;
  const { fleet, stateDirectory } = configuration;
  const unreadable: string[] = [];
  const state = new StateDirectory(stateDirectory, { warn: (message) => unreadable.push(message) }, { isReader: true });
  const agent = await askAgent(stateDirectory);
  await make('agent', async () => [await checkAgent(agent, stateDirectory)]);
  await make('disk', async () => [await checkDisk(stateDirectory)]);

  const credentials = fleet === null ? null : await readCredentials(state, fleet);
  const loss = fleet === null || credentials !== null || fleet.joinToken !== null ? null : await whyCredentialsAreLost(state);
  const deviceId = credentials?.deviceId ?? (loss === null ? null : await lastDeviceId(state));
  const hardware = await options.detect();
  const profile = resolveProfile(hardware, options.profiles);
  const prepared = await prepare(options, hardware, state, deviceId);
  await make('state', async () => unreadable.map((message) => warn('state', message, unreadableAdvice)));
  const targets = prepared.plan.outputs.filter((output) => output.kind !== 'recording');
  const recordDirectory = prepared.settings.AV_RECORD_DIR.value;

  if (typeof recordDirectory === 'string' && recordDirectory !== '') {
    await make('recordings', async () => [await checkRecordingDirectory(recordDirectory)]);
  }
  await make('clock', async () => {
    const offset = fleet === null ? null : await measureOffset(fleet.url, clock, fleetTrust(fleet.caFile));
    return [judgeClock({ nowMs: clock.nowMs(), offset, isSynchronised: await askSynchronised(run) })];
  });
  await make('dns', () => checkNames([...hostsOf(targets), ...(fleet === null ? [] : [new URL(fleet.url).hostname])]));
  await make('gstreamer', async () => [
    ...options.leftOutProfiles.map((problem) =>
      fail('profile', `${problem}: it is done without`, 'Install the program again, on another card if it happens twice.'),
    ),
    checkElements(hardware),
    ...prepared.leftOut.map(({ key, reason }) => warn('setting', reason, `Change ${key}: it is left out at present.`)),
  ]);
  const subject = { settings: prepared.settings, hardware, profile };
  // Asked again: meanwhile it may have begun to stream.
  const health = agent === null ? null : ((await askAgent(stateDirectory)) ?? agent).health;
  if (health === null) await tryMedia(make, options, subject, targets);
  else {
    await make('agent', async () => agentsWord(health, targets));
    await make('target', () => tryIdleTargets(options, subject, targets, health));
  }
  await make('fleet server', async () => {
    if (fleet === null) return [pass('fleet server', 'none is set (FLEET_URL): the device streams on its own')];
    const hasToken = fleet.joinToken !== null;
    return checkFleet({ url: fleet.url, credentials, hasToken, loss, caFile: fleet.caFile });
  });
  return checks;
}

const unreadableAdvice =
  'The agent does without it: its settings come from the environment and its fleet, and without credentials it joins again.';

const unconnectedAdvice =
  'It may be only starting: run this again in a few seconds. If it stays so, the lines on the fleet server below and the agent’s log say why.';

function notMade(subject: string, cause: unknown): Check {
  return fail(subject, `could not be looked at: ${errorText(cause)}`, 'Run it again; if it goes on, the reason says where to look.');
}

async function checkAgent(agent: AgentStatus | null, stateDirectory: string): Promise<Check> {
  if (agent !== null) {
    const { processId, isConnected } = agent;
    const word = 'its word is taken for camera, sound and streams';
    if (isConnected === false)
      return warn('agent', `runs (process ${processId}), not connected to its fleet server: ${word}`, unconnectedAdvice);
    return pass('agent', `runs (process ${processId})${isConnected === null ? '' : ', connected to its fleet server'}: ${word}`);
  }
  const directories = [stateDirectory, ...(await foundStandIns(stateDirectory))];
  const host = (await Promise.all(directories.map(findHost))).find((processId) => processId !== null);
  if (host === undefined) return pass('agent', 'does not run: everything is tried here');
  const advice = 'Start the agent: it takes the stream over, and nothing is interrupted. Camera and targets may be busy until then.';
  return warn('agent', `does not run, but a stream that it began does (process ${host})`, advice);
}

async function prepare(
  { configuration, profiles }: DoctorOptions,
  hardware: DetectedHardware,
  state: StateDirectory,
  deviceId: string | null,
): Promise<Prepared> {
  const record = deviceId === null ? null : await readLastGood(state, deviceId);
  const machine = {
    hardware,
    profile: resolveProfile(hardware, profiles),
    ...environmentOf(configuration),
  };
  return fitSettings(record?.inForce ?? null, machine);
}

function hostsOf(targets: readonly Target[]): readonly string[] {
  return targets.flatMap(({ location }) => (URL.canParse(location) ? [new URL(location).hostname] : []));
}

async function tryMedia(make: Make, options: DoctorOptions, subject: MediaSubject, targets: readonly Target[]): Promise<void> {
  await make('media host', () =>
    onBench(options.clock, async (host) => {
      await make('encoder', () => checkEncoders(host, subject));
      await make('camera', async () => [await checkCamera(host, subject)]);
      await make('picture', async () => checkSight(subject));
      await make('microphone', async () => [await checkMicrophone(host, subject)]);
      await make('target', () => tryTargets(options, host, subject, targets));
      return [];
    }),
  );
}

/** Those of which the agent says nothing. It does not use them outside its hours, or when somebody stopped its stream: then they are tried. */
async function tryIdleTargets(
  options: DoctorOptions,
  subject: MediaSubject,
  targets: readonly Target[],
  { outputs, conditions }: Health,
): Promise<readonly Check[]> {
  const idle = targets.filter(({ id }) => !outputs.some((output) => output.id === id));
  if (idle.length === 0) return [];
  if (!conditions.some(({ code }) => offAirOnPurpose.includes(code))) return idle.map(notYetUsed);
  return options.mayPublish ? onBench(options.clock, (host) => checkTargets(host, subject, idle)) : idle.map(notPublished);
}

const offAirOnPurpose: readonly string[] = ['outside-schedule', 'stopped-by-command'] satisfies ConditionCode[];

function notYetUsed({ id, target }: Target): Check {
  const advice = 'It may be only starting: run this again in a few seconds, with the agent’s own settings.';
  return warn(id, `${target}: not tried, for the agent runs and says nothing of it`, advice);
}

async function onBench(clock: Clock, work: (host: BenchHost) => Promise<readonly Check[]>): Promise<readonly Check[]> {
  const host = await BenchHost.create(clock);
  try {
    const problem = await host.start();
    if (problem === null) return await work(host);
    return [fail('media host', problem, 'Reinstall: GStreamer’s binding is missing, or was built for another Node.')];
  } finally {
    await host.stop();
  }
}

async function tryTargets(
  { mayPublish }: DoctorOptions,
  host: BenchHost,
  subject: MediaSubject,
  targets: readonly Target[],
): Promise<readonly Check[]> {
  if (targets.length === 0) return [warn('target', 'there is none yet', 'Set AV_STREAM_URL, or let the device join its fleet server.')];
  if (mayPublish) return checkTargets(host, subject, targets);
  return targets.map(notPublished);
}

/** The fleet's command publishes nothing either. */
function notPublished({ id, target }: Target): Check {
  const advice = 'Run “makespacelive doctor” on the device without --without-publishing: it sends two seconds of a test picture.';
  return warn(id, `${target}: not tried, for nothing was to be published`, advice);
}
