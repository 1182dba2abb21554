/**
 * The agent: detects, plans and keeps the media host at the plan, with or without a fleet server. Everything that happens
 * only marks work as due; the settings keeper's loop does it, one thing at a time.
 */
import { createHash } from 'node:crypto';
import { commandActions } from '#device/commands/actions.ts';
import { BoardLight } from '#device/commands/board-light.ts';
import { LogLease } from '#device/commands/log-lease.ts';
import type { LogTail } from '#device/commands/log-tail.ts';
import { stillPicture } from '#device/commands/still-picture.ts';
import type { Configuration } from '#device/configuration.ts';
import type { DetectedHardware } from '#device/detect/facts.ts';
import { toInventory } from '#device/detect/inventory.ts';
import { withLostCameras } from '#device/detect/lost-hardware.ts';
import { StatusDoor } from '#device/doctor/agent-status.ts';
import type { Check } from '#device/doctor/check.ts';
import { BoardSampler } from '#device/health/board-sampler.ts';
import { DeviceNodeWatch } from '#device/health/device-node-watch.ts';
import { Escalator } from '#device/health/escalator.ts';
import { FleetClock, measureOffset } from '#device/health/fleet-clock.ts';
import { HardwareWatch } from '#device/health/hardware-watch.ts';
import { HealthBacklogKeeper } from '#device/health/health-backlog.ts';
import { isStandInPicture } from '#device/health/health-report.ts';
import { HealthWatch } from '#device/health/health-watch.ts';
import type { Log } from '#device/logging.ts';
import type { Clock } from '#device/media/clock.ts';
import type { MediaStatus } from '#device/media/host-protocol.ts';
import type { ApplyOutcome, MediaHostSupervisor } from '#device/media/media-host-supervisor.ts';
import { type ResolvedProfile, resolveProfile } from '#device/profile/resolve.ts';
import { RecordingsKeeper, recordingPlace, writingOf } from '#device/recording/recordings-keeper.ts';
import { whenOutletIs } from '#device/schedule/outlet-outcome.ts';
import { OutletSwitch } from '#device/schedule/outlet-switch.ts';
import { describePause, type Outlet, streamBasis } from '#device/schedule/outlets.ts';
import { ScheduleWatch } from '#device/schedule/schedule-watch.ts';
import type { ServiceManager } from '#device/service/service-manager.ts';
import { describeRefusals } from '#device/settings/describe-refusals.ts';
import type { Machine, Prepared } from '#device/settings/prepare.ts';
import { SettingsKeeper } from '#device/settings/settings-keeper.ts';
import { errorText, type StateDirectory } from '#device/state/state-directory.ts';
import { readBootId } from '#device/state/state-lock.ts';
import { BrokerLocation } from '#device/uplink/broker-location.ts';
import { CommandJournal } from '#device/uplink/command-journal.ts';
import { CommandRunner } from '#device/uplink/command-runner.ts';
import { requestConnection } from '#device/uplink/connection-request.ts';
import { copyPolicy, identityOfCopy } from '#device/uplink/copied-card.ts';
import {
  bindCredentials,
  type Credentials,
  changeCredential,
  enrol,
  enrolmentPolicies,
  forgetFormer,
  keepBroker,
} from '#device/uplink/credentials.ts';
import { askAboutCopy, requestEnrolment } from '#device/uplink/enrolment-request.ts';
import { EventJournal } from '#device/uplink/event-journal.ts';
import { fleetTrust } from '#device/uplink/fleet-trust.ts';
import { Outbox } from '#device/uplink/outbox.ts';
import { SessionCounter } from '#device/uplink/session-counter.ts';
import { connectionPolicy, Uplink } from '#device/uplink/uplink.ts';
import { wait } from '#device/uplink/wait.ts';
import type { HardwareProfiles } from '#hardware-profiles/schema.ts';
import type { UpwardBody } from '#protocol/envelope.ts';
import type { BoardIdentity, Versions } from '#protocol/messages.ts';
import { settingDefinitions, settingKeys } from '#protocol/settings.ts';

/** What the agent asks of its media host. */
export type Media = Pick<
  MediaHostSupervisor,
  'start' | 'apply' | 'restartCapture' | 'restartHost' | 'picture' | 'gstreamerVersion' | 'onStatus' | 'onPreview' | 'onEvent' | 'stop'
>;

export type AgentOptions = {
  readonly configuration: Configuration;
  readonly state: StateDirectory;
  /** Null until the device has joined its fleet. */
  readonly credentials: Credentials | null;
  /** What was found in their place and is another board's (uplink/copied-card.ts). */
  readonly copyOf: Credentials | null;
  /** Null: this board cannot be told from others. */
  readonly board: BoardIdentity | null;
  readonly media: Media;
  /** Anew, given what was found before. */
  readonly detect: (known: DetectedHardware | null) => Promise<DetectedHardware>;
  /** Changes when a camera or a sound card comes or goes. */
  readonly hardwareFingerprint: () => Promise<string>;
  readonly profiles: HardwareProfiles;
  readonly versions: Omit<Versions, 'gstreamer'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Null: nobody but a person looks after this process. */
  readonly service: Pick<ServiceManager, 'say' | 'pulse'> | null;
  /** Once: frames come, and the device has joined, if it is to belong to a fleet. */
  readonly onReady: (ready: AgentReady) => void;
  /** Ends this process in order, with the code that asks its supervisor for a new one. */
  readonly restartAgent: () => void;
  /** Null, or why the board is not restarted. Called only where AV_ALLOW_REBOOT is set. */
  readonly reboot: () => Promise<string | null>;
  /** What this agent has logged of late. */
  readonly logTail: Pick<LogTail, 'newest' | 'listen'>;
  /** What the doctor finds, beside the agent that runs. */
  readonly examine: () => Promise<readonly Check[]>;
};

export type AgentReady = {
  readonly deviceId: string | null;
  /** What is on air, in words. */
  readonly source: string;
};

type Switches = { readonly [O in Outlet]: OutletSwitch };

/** All that exists once the hardware is known. */
type Parts = {
  readonly keeper: SettingsKeeper;
  readonly health: HealthWatch;
  readonly hardwareWatch: HardwareWatch;
  readonly deviceNodes: DeviceNodeWatch;
  readonly escalator: Escalator;
  readonly schedule: ScheduleWatch;
  readonly recordings: RecordingsKeeper;
  readonly switches: Switches;
  readonly fleetClock: FleetClock;
  readonly statusDoor: StatusDoor;
  readonly boardLight: BoardLight;
  readonly logLease: LogLease;
  readonly commands: CommandRunner;
  readonly uplink: Uplink | null;
};

const mediaStartBoundMs = 10_000;
/** For the answer to the command that ends this process. */
const answerBeforeRestartMs = 1000;
const eventKind = /^[a-z0-9-]{1,64}$/;

export class Agent {
  readonly #options: AgentOptions;
  readonly #events: EventJournal;
  readonly #backlog: HealthBacklogKeeper;
  readonly #outbox: Outbox;
  #parts: Parts | null = null;
  #hardware: { readonly found: DetectedHardware; readonly profile: ResolvedProfile } | null = null;
  /** When there was a camera last. */
  #seen: DetectedHardware | null = null;
  #said: { readonly line: string; readonly isStandIn: boolean; readonly isPaused: boolean } | null = null;
  #deviceId: string | null = null;
  #isReady = false;
  #stopping: Promise<void> | null = null;

  constructor(options: AgentOptions) {
    const { state, clock, log } = options;
    this.#options = options;
    this.#deviceId = options.credentials?.deviceId ?? null;
    this.#events = new EventJournal({ state, clock, log });
    this.#backlog = new HealthBacklogKeeper(clock.monotonicMs);
    this.#outbox = new Outbox(this.#events, this.#backlog);
  }

  async start(): Promise<void> {
    const { credentials, state, log, versions } = this.#options;
    log.info(`agent ${versions.agent} on Node ${versions.node}, ${versions.os}`);
    const mediaStarted = this.#startMedia();
    const fingerprint = await this.#options.hardwareFingerprint();
    const [machine] = await Promise.all([this.#detectMachine(), this.#events.start()]);
    const bootId = await readBootId();
    if (this.#stopping !== null) return;
    const parts = this.#build(machine, bootId);
    this.#parts = parts;
    this.#events.add('agent-started', `agent ${versions.agent}`);
    this.#connectParts(parts);
    await Promise.all([parts.schedule.load(), parts.switches.stream.load(), parts.switches.record.load()]);
    await parts.keeper.start(credentials?.deviceId ?? null);
    for (const name of state.damaged()) this.#record('file-damaged', `${name} could not be read; it is kept as ${name}.damaged`);
    await mediaStarted;
    parts.keeper.reconcile();
    this.#sayWhatStreams(parts.keeper.prepared());
    await Promise.all([parts.health.start(), parts.commands.start()]);
    if (this.#stopping !== null) return;
    parts.schedule.start();
    parts.recordings.start();
    parts.fleetClock.start();
    parts.statusDoor.open(state.path).catch((cause: unknown) => log.warn(`nobody here can ask how it is (${errorText(cause)})`));
    parts.hardwareWatch.start(fingerprint, machine.hardware.problems.length > 0);
    parts.deviceNodes.start();
    await parts.escalator.start();
    parts.uplink?.start();
  }

  /** Says goodbye to the fleet and shuts the media host down. May be called twice. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const parts = this.#parts;
    parts?.escalator.stop();
    parts?.deviceNodes.stop();
    parts?.hardwareWatch.stop();
    parts?.schedule.stop();
    parts?.fleetClock.stop();
    parts?.statusDoor.close();
    parts?.health.stop();
    const kept = Promise.all([parts?.commands.stop(), parts?.keeper.stop()]);
    parts?.logLease.stop();
    await Promise.all([kept, parts?.uplink?.stop(), this.#options.media.stop(), parts?.recordings.stop(), parts?.boardLight.stop()]);
    await this.#events.stop();
  }

  /** A device whose media host does not start must still be able to say so: after a while the agent goes on without it. */
  async #startMedia(): Promise<void> {
    const { media, clock, log } = this.#options;
    const bound = new AbortController();
    const started = media.start().catch((cause: unknown) => log.error(`the media host does not start: ${errorText(cause)}`));
    await Promise.race([started, wait(clock, mediaStartBoundMs, bound.signal)]);
    bound.abort();
  }

  #build(machine: Machine, bootId: string): Parts {
    const { state, clock, random, log, media, configuration } = this.#options;
    const schedule: ScheduleWatch = new ScheduleWatch({
      clock,
      state,
      settings: () => keeper.prepared().settings,
      running: () => keeper.prepared().schedule.allowed,
      onChange: ({ stream }) => {
        // Its hours have begun: they are to end as well.
        if (stream && switches.stream.switched()?.isOn === true) void switches.stream.release();
        keeper.reconcile();
      },
      onDiskError: (cause) => log.warn(`cannot keep on disk what the schedule allows (${errorText(cause)})`),
    });
    const makeSwitch = (outlet: Outlet, what: string) =>
      new OutletSwitch({
        outlet,
        state,
        onDiskError: (cause) => log.warn(`cannot keep on disk that the ${what} was switched (${errorText(cause)})`),
      });
    const switches: Switches = { stream: makeSwitch('stream', 'stream'), record: makeSwitch('record', 'recording') };
    const keeper: SettingsKeeper = new SettingsKeeper(machine, {
      media,
      state,
      clock,
      random,
      moment: () => schedule.moment(),
      log,
      record: (kind, detail) => this.#record(kind, detail),
      isRecordingWanted: () => switches.record.switched()?.isOn ?? null,
      streamSwitch: () => switches.stream.switched(),
      onAnswer: (applied) => {
        const isEnded = [switches.record.endsWith(recordBasis(keeper)), switches.stream.endsWith(streamBasis(keeper.prepared().settings))];
        if (isEnded.includes(true)) keeper.reconcile();
        this.#outbox.setApplied(applied);
        this.#parts?.uplink?.wake();
      },
      onChange: () => {
        this.#sayWhatStreams(keeper.prepared());
        this.#parts?.schedule.look();
        this.#parts?.health.changed();
        this.#sayReady(keeper);
      },
    });
    const boardSampler = new BoardSampler({ stateDirectory: state.path, stateProblem: () => state.problem(), clock });
    const trust = fleetTrust(configuration.fleet?.caFile ?? null);
    const fleetClock = new FleetClock(configuration.fleet?.url ?? null, clock, (url, by) => measureOffset(url, by, trust));
    const recordings = this.#buildRecordings(keeper);
    const health = new HealthWatch({
      clock,
      random,
      sampleBoard: () => boardSampler.sample(),
      clockOffset: () => fleetClock.offset(),
      prepared: () => keeper.prepared(),
      recordings: () => recordings.summary(),
      complaints: () => keeper.complaints(),
      inventory: () => this.#inventory(),
      appliedRevision: () => keeper.inForce().revision,
      sendHealth: (body) => {
        const uplink = this.#parts?.uplink ?? null;
        if (uplink !== null && !uplink.sendHealth(body)) this.#backlog.add(body);
      },
      onPulse: (pulse) => this.#options.service?.pulse(pulse),
      sendReport: (report) => {
        this.#outbox.setReport(report);
        this.#parts?.uplink?.wake();
      },
      onMediaState: (state) => {
        if (state.kind === 'failed' || state.kind === 'no-signal') this.#parts?.hardwareWatch.check();
      },
    });
    const statusDoor = new StatusDoor(() => ({
      processId: process.pid,
      isConnected: this.#parts?.uplink?.isOnline ?? null,
      health: health.current(),
    }));
    const hardwareWatch = new HardwareWatch({
      clock,
      log,
      fingerprint: this.#options.hardwareFingerprint,
      isSomethingMissing: () => health.isSomethingLost() || isSomethingMissing(keeper.prepared()),
      redetect: async () => keeper.setMachine(await this.#detectMachine()),
    });
    const deviceNodes = new DeviceNodeWatch({ clock, onChange: () => hardwareWatch.wake() });
    const boardLight = new BoardLight({ clock });
    const logLease = new LogLease({
      clock,
      tail: this.#options.logTail,
      send: (lines) => this.#parts?.uplink?.sendLog(lines),
      secrets: () => this.#secrets(keeper.prepared()),
    });
    const commands = new CommandRunner({
      journal: new CommandJournal(state, bootId),
      clock,
      log,
      actions: commandActions({
        media,
        switchOutlet: (outlet, isOn) => this.#switchOutlet(outlet, isOn, keeper, switches),
        stillPicture,
        sendSnapshot: (jpeg) => this.#outbox.setSnapshot(jpeg),
        recordingDirectory: () => recordingPlace(keeper.prepared().settings, state.path).directory,
        restartAgent: this.#options.restartAgent,
        mayReboot: configuration.settings.AV_ALLOW_REBOOT === true,
        reboot: this.#options.reboot,
        light: boardLight,
        examine: this.#options.examine,
        sendLogs: (lines) => logLease.open(lines),
        boardId: this.#options.board?.id ?? null,
        joinAnew: (boardId) => this.#joinAnew(boardId),
        changeCredential: (credential) => this.#changeCredential(credential),
      }),
      onResult: (result) => {
        this.#outbox.addResult(result);
        this.#parts?.uplink?.wake();
      },
    });
    return {
      keeper,
      health,
      hardwareWatch,
      deviceNodes,
      escalator: this.#buildEscalator(keeper, health),
      schedule,
      recordings,
      switches,
      fleetClock,
      statusDoor,
      boardLight,
      logLease,
      commands,
      uplink: this.#buildUplink(keeper, health, commands, bootId),
    };
  }

  #buildRecordings(keeper: SettingsKeeper): RecordingsKeeper {
    const { state, clock, random, log, media } = this.#options;
    let status: MediaStatus | null = null;
    media.onStatus((latest) => {
      status = latest;
    });
    return new RecordingsKeeper({
      clock,
      log,
      random,
      place: () => recordingPlace(keeper.prepared().settings, state.path),
      writing: () => writingOf(status),
      record: (kind, detail) => this.#record(kind, detail),
    });
  }

  async #switchOutlet(outlet: Outlet, isOn: boolean, keeper: SettingsKeeper, switches: Switches): Promise<ApplyOutcome> {
    const { clock, media } = this.#options;
    const outcome = whenOutletIs(outlet, isOn, { clock, onStatus: (listener) => media.onStatus(listener) });
    const { settings, schedule } = keeper.prepared();
    // What the settings do by themselves needs no switch: within its hours a started stream ends with them.
    const isPlain = outlet === 'stream' && isOn && schedule.allowed.stream;
    const basis = outlet === 'stream' ? streamBasis(settings) : recordBasis(keeper);
    const kept = isPlain ? switches.stream.release() : switches[outlet].turn(isOn, basis);
    keeper.reconcile();
    await kept;
    return outcome;
  }

  #buildEscalator(keeper: SettingsKeeper, health: HealthWatch): Escalator {
    const { clock, log, state, media, configuration, restartAgent, reboot } = this.#options;
    return new Escalator({
      clock,
      log,
      state,
      observe: () => ({
        media: health.status()?.media ?? null,
        framesTotal: health.status()?.framesTotal ?? 0,
        captureLosses: health.status()?.captureLosses ?? 0,
        isSourceThere: this.#isSourceThere(keeper.prepared()),
        mayReboot: configuration.settings.AV_ALLOW_REBOOT === true,
      }),
      record: (kind, detail) => this.#record(kind, detail),
      steps: {
        'media-host': () => media.restartHost(),
        agent: async () => restartAgent(),
        reboot: async () => {
          const problem = await reboot();
          if (problem !== null) this.#record('board-restart-failed', problem);
        },
      },
    });
  }

  /** A source of the environment's own may be anywhere: whether it is there, nobody here can know. */
  #isSourceThere({ plan }: Prepared): boolean {
    const { kind, id } = plan.capture.source;
    return kind === 'test' || (kind === 'camera' && this.#hardware?.found.cameras.some((camera) => camera.id === id) === true);
  }

  #buildUplink(keeper: SettingsKeeper, health: HealthWatch, commands: CommandRunner, bootId: string): Uplink | null {
    const { configuration, credentials, copyOf, board, state, clock, random, log } = this.#options;
    const { fleet } = configuration;
    if (fleet === null) return null;
    const { url: fleetUrl, joinToken } = fleet;
    const trust = fleetTrust(fleet.caFile);
    const join: typeof requestEnrolment = (url, body, signal) => requestEnrolment(url, body, signal, trust);
    const ask: typeof askAboutCopy = (url, body, signal) => askAboutCopy(url, body, signal, trust);
    const identify = (signal: AbortSignal): Promise<Credentials | null> => {
      const common = { fleetUrl, state, join, clock, random, log, signal };
      if (copyOf !== null && board !== null) return identityOfCopy({ ...common, joinToken, copyOf, board, ask, policy: copyPolicy });
      if (credentials !== null || joinToken === null) return Promise.resolve(credentials);
      return enrol({ ...common, joinToken, boardId: board?.id ?? null, policies: enrolmentPolicies });
    };
    const location = new BrokerLocation({
      ask: (deviceId, credential, signal) => requestConnection(fleetUrl, deviceId, { credential }, signal, trust),
      clock,
      log,
      onMoved: (moved) => {
        keepBroker(state, moved).catch((cause: unknown) => log.warn(`cannot keep the broker’s address on disk (${errorText(cause)})`));
      },
    });
    return new Uplink({
      fleetUrl,
      trust,
      location,
      credentials: identify,
      sessions: new SessionCounter({ state, bootId, nowMs: clock.nowMs, log }),
      outbox: this.#outbox,
      clock,
      random,
      log,
      policy: connectionPolicy,
      hello: () => this.#hello(keeper),
      onJoined: ({ deviceId }) => {
        keeper.setDeviceId(deviceId);
        this.#deviceId = deviceId;
        this.#sayReady(keeper);
      },
      onProven: (proven) => {
        forgetFormer(state, proven).catch((cause: unknown) => {
          log.warn(`the former credential stays on the disk beside the new one (${errorText(cause)})`);
        });
      },
      onOnline: () => health.tellAll(),
      onDesired: (desired) => keeper.offer(desired),
      onCommand: (command, timeLeftMs) => commands.receive(command, timeLeftMs),
      onEventAck: (upToNumber) => this.#events.acknowledge(upToNumber),
    });
  }

  /** Everything that this device knows and nobody may read. */
  #secrets({ settings }: Prepared): readonly string[] {
    const credentials = this.#parts?.uplink?.credentials() ?? this.#options.credentials;
    const own = settingKeys.flatMap((key) => (settingDefinitions[key].secret ? [String(settings[key].value ?? '')] : []));
    return [...own, credentials?.credential ?? '', credentials?.former ?? '', this.#options.configuration.fleet?.joinToken ?? ''];
  }

  async #changeCredential(credential: string): Promise<void> {
    const uplink = this.#parts?.uplink ?? null;
    const current = uplink?.credentials() ?? null;
    if (uplink === null || current === null) throw new Error('this device has not joined a fleet');
    uplink.renew(await changeCredential(this.#options.state, current, credential));
  }

  /** What is on this card belongs to that board: whoever starts after this process finds another one's credentials. */
  async #joinAnew(boardId: string): Promise<void> {
    const { state, clock, log, restartAgent } = this.#options;
    const current = this.#parts?.uplink?.credentials() ?? null;
    if (current === null) throw new Error('this device has not joined a fleet');
    await bindCredentials(state, { ...current, boardId });
    log.warn(`the fleet knows ${current.deviceId} on another board (${boardId}): this one leaves`);
    clock.schedule(restartAgent, answerBeforeRestartMs);
  }

  #connectParts({ health, uplink }: Parts): void {
    const { media } = this.#options;
    media.onStatus((status) => health.onStatus(status));
    media.onPreview((jpeg) => uplink?.sendPreview(jpeg));
    media.onEvent(({ event, detail }) => this.#record(event, detail));
    this.#events.onReady(() => uplink?.wake());
  }

  async #detectMachine(): Promise<Machine> {
    const { detect, profiles, configuration, log } = this.#options;
    const found = await detect(this.#hardware?.found ?? null);
    if (found.cameras.length > 0) this.#seen = found;
    const hardware = withLostCameras(found, this.#seen);
    const profile = resolveProfile(hardware, profiles);
    if (this.#hardware === null) for (const { subject, problem } of found.problems) log.warn(`detection: ${subject}: ${problem}`);
    this.#hardware = { found, profile };
    return { hardware, profile, environment: configuration.settings, fleetUrl: configuration.fleet?.url ?? null };
  }

  #inventory(): ReturnType<typeof toInventory> {
    if (this.#hardware === null) throw new Error('expected the hardware to be detected before anybody asks for it');
    return toInventory(this.#hardware.found, this.#hardware.profile);
  }

  #hello(keeper: SettingsKeeper): UpwardBody<'hello'> {
    const { revision, digest } = keeper.inForce();
    const { board } = this.#options;
    const gstreamer = this.#options.media.gstreamerVersion() ?? this.#hardware?.found.gstreamerVersion ?? 'unknown';
    return {
      ...(board === null ? {} : { board }),
      inventoryDigest: createHash('sha256').update(JSON.stringify(this.#inventory())).digest('hex'),
      versions: { ...this.#options.versions, gstreamer },
      appliedRevision: revision,
      appliedDigest: digest,
    };
  }

  #record(kind: string, detail: string): void {
    this.#events.add(eventKind.test(kind) ? kind : 'media-event', detail);
  }

  /** Once for each change: which picture is on air, and where it goes. */
  #sayWhatStreams(prepared: Prepared): void {
    const line = describeStream(prepared);
    const isStandIn = isStandInPicture(prepared);
    const before = this.#said;
    if (before?.line === line) return;
    const isPaused = prepared.isStreamSwitchedOn === null && !prepared.schedule.allowed.stream;
    this.#said = { line, isStandIn, isPaused };
    this.#options.log.info(line);
    this.#options.service?.say(line);
    if (prepared.leftOut.length > 0) this.#options.log.warn(`left out for the time being: ${describeRefusals(prepared.leftOut)}`);
    if (before === null) return;
    if (before.isPaused !== isPaused) this.#record(isPaused ? 'schedule-off' : 'schedule-on', line);
    if (before.isStandIn === isStandIn) return;
    if (isStandIn) this.#record('camera-lost', line);
    else this.#record('camera-found', line);
  }

  #sayReady(keeper: SettingsKeeper): void {
    const isWaitingToJoin = this.#options.configuration.fleet !== null && this.#deviceId === null;
    if (this.#isReady || isWaitingToJoin || !keeper.isRunning()) return;
    this.#isReady = true;
    this.#options.onReady({ deviceId: this.#deviceId, source: describeSource(keeper.prepared()) });
  }
}

/** A switched recording ends with the next settings, whatever they are. */
function recordBasis(keeper: SettingsKeeper): string {
  return `revision ${keeper.inForce().revision}`;
}

/** No camera, no microphone, or a setting that waits for one. */
function isSomethingMissing(prepared: Prepared): boolean {
  return (
    isStandInPicture(prepared) ||
    prepared.plan.capture.source.kind === 'no-signal' ||
    prepared.isMicrophoneMissing ||
    prepared.leftOut.length > 0
  );
}

export function describeStream(prepared: Prepared): string {
  const { outputs } = prepared.plan;
  if (prepared.isStreamSwitchedOn === false) return `not streaming ${describeSource(prepared)}: stopped by command`;
  if (prepared.isStreamSwitchedOn === null && !prepared.schedule.allowed.stream)
    return `not streaming ${describeSource(prepared)}: ${describePause(prepared.schedule, prepared.settings)}`;
  const targets = outputs.length === 0 ? 'nowhere yet: waiting for the fleet server' : outputs.map(({ target }) => target).join(', ');
  const line = `streaming ${describeSource(prepared)}; to ${targets}`;
  return prepared.isWaitingForApproval ? `${line}; this device waits until somebody approves it in the fleet’s dashboard` : line;
}

function describeSource(prepared: Prepared): string {
  const { source, width, height, framesPerSecond, encoder } = prepared.plan.capture;
  const picture = `${width}x${height}, ${framesPerSecond}/s, ${encoder}`;
  if (isStandInPicture(prepared)) return `the test picture: no camera was found (${picture})`;
  return source.kind === 'test' ? `the test picture (${picture})` : `${source.label} (${picture})`;
}
