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
import { askSynchronised, checkDisk, checkNames, judgeClock } from '#device/doctor/place-checks.ts';
import { checkRecordingDirectory } from '#device/doctor/recording-check.ts';
import { measureOffset } from '#device/health/fleet-clock.ts';
import type { RunTool } from '#device/health/power.ts';
import type { Clock } from '#device/media/clock.ts';
import { findHost } from '#device/media/host-process.ts';
import type { IcecastOutputPlan, RtmpOutputPlan } from '#device/plan/pipeline-plan.ts';
import { resolveProfile } from '#device/profile/resolve.ts';
import { readLastGood } from '#device/settings/last-good-file.ts';
import { fitSettings, type Prepared } from '#device/settings/prepare.ts';
import { StateDirectory } from '#device/state/state-directory.ts';
import { type Credentials, readCredentials } from '#device/uplink/credentials.ts';
import type { HardwareProfiles } from '#hardware-profiles/schema.ts';

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

export async function examine(options: DoctorOptions): Promise<readonly Check[]> {
  const checks: Check[] = [];
  const add = (...found: readonly Check[]): void => {
    for (const check of found) {
      checks.push(check);
      options.onCheck(check);
    }
  };
  const { configuration, clock, run } = options;
  const { fleet, stateDirectory } = configuration;
  const state = new StateDirectory(stateDirectory, { warn: () => undefined });
  const agent = await askAgent(stateDirectory);
  add(await checkAgent(agent, stateDirectory), await checkDisk(stateDirectory));

  const credentials = fleet === null ? null : await readCredentials(state, fleet);
  const hardware = await options.detect();
  const profile = resolveProfile(hardware, options.profiles);
  const prepared = await prepare(options, hardware, state, credentials);
  const targets = prepared.plan.outputs.filter((output) => output.kind !== 'recording');
  const recordDirectory = prepared.settings.AV_RECORD_DIR.value;

  if (typeof recordDirectory === 'string' && recordDirectory !== '') add(await checkRecordingDirectory(recordDirectory));
  add(
    judgeClock({
      nowMs: clock.nowMs(),
      offset: fleet === null ? null : await measureOffset(fleet.url, clock),
      isSynchronised: await askSynchronised(run),
    }),
  );
  add(...(await checkNames([...hostsOf(targets), ...(fleet === null ? [] : [new URL(fleet.url).hostname])])));
  for (const problem of options.leftOutProfiles) {
    add(fail('profile', `${problem}: it is done without`, 'Install the program again, on another card if it happens twice.'));
  }
  add(checkElements(hardware));
  for (const { key, reason } of prepared.leftOut) add(warn('setting', reason, `Change ${key}: it is left out at present.`));
  if (agent?.health != null) add(...agentsWord(agent, targets));
  else add(...(await tryMedia(options, { settings: prepared.settings, hardware, profile }, targets)));
  if (fleet === null) add(pass('fleet server', 'none is set (FLEET_URL): the device streams on its own'));
  else
    add(
      ...(await checkFleet({
        url: fleet.url,
        hasJoined: credentials !== null,
        hasToken: fleet.joinToken !== null,
        caFile: fleet.caFile,
        mqttUrl: credentials?.mqttUrl ?? null,
      })),
    );
  return checks;
}

async function checkAgent(agent: AgentStatus | null, stateDirectory: string): Promise<Check> {
  if (agent !== null) {
    const fleet =
      agent.isConnected === null ? '' : agent.isConnected ? ', connected to its fleet server' : ', not connected to its fleet server';
    return pass('agent', `runs (process ${agent.processId})${fleet}: its word is taken for camera, sound and streams`);
  }
  const host = await findHost(stateDirectory);
  if (host === null) return pass('agent', 'does not run: everything is tried here');
  const advice = 'Start the agent: it takes the stream over, and nothing is interrupted. Camera and targets may be busy until then.';
  return warn('agent', `does not run, but a stream that it began does (process ${host})`, advice);
}

async function prepare(
  { configuration, profiles }: DoctorOptions,
  hardware: DetectedHardware,
  state: StateDirectory,
  credentials: Credentials | null,
): Promise<Prepared> {
  const record = credentials === null ? null : await readLastGood(state, credentials.deviceId);
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

async function tryMedia(options: DoctorOptions, subject: MediaSubject, targets: readonly Target[]): Promise<readonly Check[]> {
  const host = await BenchHost.create(options.clock);
  try {
    const problem = await host.start();
    if (problem !== null) {
      return [fail('media host', problem, 'Reinstall: GStreamer’s binding is missing, or was built for another Node.')];
    }
    return [
      ...(await checkEncoders(host, subject)),
      await checkCamera(host, subject),
      ...checkSight(subject),
      await checkMicrophone(host, subject),
      ...(await tryTargets(options, host, subject, targets)),
    ];
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
  return targets.map(({ id, target }) => warn(id, `${target}: not tried (--without-publishing)`, 'Run it again without that option.'));
}
