/**
 * The agent: detects, plans and keeps the media host at the plan, with or without a fleet server. Everything that happens
 * only marks work as due; the settings keeper's loop does it, one thing at a time.
 */
import type { AgentOptions } from '#device/agent-options.ts';
import { commandActions } from '#device/commands/actions.ts';
import { BoardLight } from '#device/commands/board-light.ts';
import { LogLease } from '#device/commands/log-lease.ts';
import { stillPicture } from '#device/commands/still-picture.ts';
import { StatusDoor } from '#device/doctor/agent-status.ts';
import { BoardSampler } from '#device/health/board-sampler.ts';
import { DeviceNodeWatch } from '#device/health/device-node-watch.ts';
import { Escalator } from '#device/health/escalator.ts';
import { FleetClock, measureOffset } from '#device/health/fleet-clock.ts';
import { HardwareWatch } from '#device/health/hardware-watch.ts';
import { HealthBacklogKeeper } from '#device/health/health-backlog.ts';
import { HealthWatch } from '#device/health/health-watch.ts';
import { MachineKeeper } from '#device/machine-keeper.ts';
import { hostFiles } from '#device/media/host-files.ts';
import type { MediaStatus } from '#device/media/host-protocol.ts';
import { RecordingDisk } from '#device/recording/recording-disk.ts';
import { RecordingsKeeper, recordingFault, recordingPlace, writingOf } from '#device/recording/recordings-keeper.ts';
import { isOver } from '#device/schedule/outlet-switch.ts';
import { type OutletSwitches, outletSwitches, recordBasis, switchOutlet } from '#device/schedule/outlet-switches.ts';
import { streamBasis } from '#device/schedule/outlets.ts';
import { ownTimeZone } from '#device/schedule/own-time-zone.ts';
import { ScheduleWatch } from '#device/schedule/schedule-watch.ts';
import { TimeOfDay } from '#device/schedule/time-of-day.ts';
import { describeSource, isSomethingMissing } from '#device/settings/describe-stream.ts';
import { lastDeviceId } from '#device/settings/last-good-file.ts';
import type { Machine, Prepared } from '#device/settings/prepare.ts';
import { SettingsKeeper } from '#device/settings/settings-keeper.ts';
import { StreamAnnouncer } from '#device/settings/stream-announcer.ts';
import { errorText } from '#device/state/state-directory.ts';
import { readBootId } from '#device/state/state-lock.ts';
import { CommandJournal } from '#device/uplink/command-journal.ts';
import { CommandRunner } from '#device/uplink/command-runner.ts';
import { bindCredentials, changeCredential } from '#device/uplink/credentials.ts';
import { EventJournal } from '#device/uplink/event-journal.ts';
import { fleetTrust } from '#device/uplink/fleet-trust.ts';
import { fleetUplink } from '#device/uplink/fleet-uplink.ts';
import { Outbox } from '#device/uplink/outbox.ts';
import type { Uplink } from '#device/uplink/uplink.ts';
import { wait } from '#device/uplink/wait.ts';
import type { UpwardBody } from '#protocol/envelope.ts';
import { settingDefinitions, settingKeys } from '#protocol/settings.ts';

/** All that exists once the hardware is known. */
type Parts = {
  readonly keeper: SettingsKeeper;
  readonly health: HealthWatch;
  readonly hardwareWatch: HardwareWatch;
  readonly deviceNodes: DeviceNodeWatch;
  readonly escalator: Escalator;
  readonly schedule: ScheduleWatch;
  readonly recordings: RecordingsKeeper;
  readonly recordingDisk: RecordingDisk;
  readonly switches: OutletSwitches;
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
  readonly #time: TimeOfDay;
  #parts: Parts | null = null;
  readonly #machine: MachineKeeper;
  readonly #announcer: StreamAnnouncer;
  #deviceId: string | null = null;
  #isReady = false;
  #stopping: Promise<void> | null = null;

  constructor(options: AgentOptions) {
    const { state, clock, log } = options;
    this.#options = options;
    this.#deviceId = options.credentials?.deviceId ?? null;
    this.#events = new EventJournal({ state, clock, log });
    this.#machine = new MachineKeeper(options);
    this.#time = new TimeOfDay({
      clock,
      state,
      log,
      askMachine: options.askMachineClock,
      fleetOffset: () => this.#parts?.fleetClock.offset() ?? null,
      onChange: () => this.#parts?.schedule.look(),
    });
    this.#backlog = new HealthBacklogKeeper({ state, log, nowMs: clock.nowMs });
    this.#announcer = new StreamAnnouncer({ log, service: options.service, record: (kind, detail) => this.#record(kind, detail) });
    this.#outbox = new Outbox(this.#events, this.#backlog);
  }

  async start(): Promise<void> {
    const { credentials, hasLostCredentials, state, log, versions } = this.#options;
    log.info(`agent ${versions.agent} on Node ${versions.node}, ${versions.os}`);
    const mediaStarted = this.#startMedia();
    const [fingerprint, bootId] = await Promise.all([this.#options.hardwareFingerprint(), readBootId()]);
    await this.#machine.load(bootId);
    const [machine] = await Promise.all([
      this.#machine.detect(),
      this.#events.start(),
      this.#backlog.load(bootId),
      this.#time.load(bootId),
    ]);
    if (this.#stopping !== null) return;
    const parts = this.#build(machine, bootId);
    this.#parts = parts;
    this.#events.add('agent-started', `agent ${versions.agent}`);
    this.#connectParts(parts);
    await Promise.all([parts.schedule.load(), parts.switches.stream.load(), parts.switches.record.load()]);
    await parts.keeper.start(credentials?.deviceId ?? (hasLostCredentials ? await lastDeviceId(state) : null));
    await parts.recordingDisk.start();
    state.onDamaged((name) => this.#record('file-damaged', `${name} could not be read; it is kept as ${name}.damaged`));
    for (const problem of this.#options.leftOutProfiles) this.#record('profile-damaged', `it is done without: ${problem}`.slice(0, 500));
    await mediaStarted;
    parts.keeper.reconcile();
    this.#announcer.say(parts.keeper.prepared());
    await Promise.all([parts.health.start(), parts.commands.start()]);
    if (this.#stopping !== null) return;
    this.#time.start();
    parts.schedule.start();
    parts.recordings.start();
    parts.fleetClock.start();
    parts.statusDoor.open(state.path).catch((cause: unknown) => log.warn(`nobody here can ask how it is (${errorText(cause)})`));
    parts.hardwareWatch.start(fingerprint, machine.hardware.problems.length > 0);
    this.#waitForPlace(parts.hardwareWatch);
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
    parts?.fleetClock.stop();
    this.#time.stop();
    parts?.health.stop();
    const kept = Promise.all([
      parts?.commands.stop(),
      parts?.keeper.stop(),
      parts?.schedule.stop(),
      parts?.recordingDisk.stop(),
      parts?.switches.stream.stop(),
      parts?.switches.record.stop(),
    ]);
    parts?.logLease.stop();
    await Promise.all([kept, parts?.uplink?.stop(), this.#options.media.stop(), parts?.recordings.stop(), parts?.boardLight.stop()]);
    await Promise.all([this.#events.stop(), this.#backlog.stop()]);
    await Promise.all([parts?.statusDoor.close(), this.#options.state.settled()]);
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
      time: () => this.#time.now(),
      ownZone: () => ownTimeZone(),
      settings: () => keeper.prepared().settings,
      running: () => keeper.prepared().schedule,
      onLook: ({ stream }) => {
        const switched = switches.stream.switched();
        if (switched?.isOn !== true || !(stream || isOver(switched, this.#time.now().nowMs))) return;
        // Its hours have begun, perhaps while nobody looked: they are to end as well.
        void switches.stream.release();
        keeper.reconcile();
      },
      onChange: () => keeper.reconcile(),
      onDiskError: (cause) => log.warn(`cannot keep on disk what the schedule allows (${errorText(cause)})`),
    });
    const switches = outletSwitches(state, clock, log);
    const keeper: SettingsKeeper = new SettingsKeeper(machine, {
      media,
      state,
      clock,
      random,
      moment: () => schedule.moment(),
      log,
      record: (kind, detail) => this.#record(kind, detail),
      isRecordingWanted: () => switches.record.wanted(recordBasis(keeper)),
      streamSwitch: () => switches.stream.switched(),
      recordingsInsteadOf: (directory) => (recordingDisk.isAway(directory) ? hostFiles(state.path).recordingsMeanwhile : null),
      onAnswer: (applied) => {
        const isEnded = [switches.record.endsWith(recordBasis(keeper)), switches.stream.endsWith(streamBasis(keeper.prepared().settings))];
        if (isEnded.includes(true)) keeper.reconcile();
        this.#outbox.setApplied(applied);
        this.#parts?.uplink?.wake();
      },
      onChange: () => {
        this.#machine.noteOnAir(keeper.prepared());
        this.#announcer.say(keeper.prepared());
        this.#parts?.schedule.look();
        this.#parts?.health.changed();
        this.#sayReady(keeper);
      },
    });
    const recordDirectory = () => String(keeper.prepared().settings.AV_RECORD_DIR.value ?? '');
    const recordingDisk: RecordingDisk = new RecordingDisk({
      clock,
      log,
      state,
      directory: recordDirectory,
      onChange: () => keeper.reconcile(),
      onRefusal: (reason) =>
        this.#record('recording-disk-refuses', `${reason}: recordings are made on the device until it takes them again`),
    });
    const boardSampler = new BoardSampler({ stateDirectory: state.path, stateProblem: () => state.problem(), clock });
    const trust = fleetTrust(configuration.fleet?.caFile ?? null);
    const fleetClock = new FleetClock(configuration.fleet?.url ?? null, clock, (url, by) => measureOffset(url, by, trust));
    const recordings = this.#buildRecordings(keeper, recordingDisk);
    const health = new HealthWatch({
      clock,
      random,
      sampleBoard: () => boardSampler.sample(),
      clockOffset: () => fleetClock.offset(),
      time: () => this.#time.now(),
      prepared: () => keeper.prepared(),
      recordings: () => recordings.summary(),
      isRecordingWithState: () => recordingDisk.isWithState(recordDirectory()),
      complaints: () => keeper.complaints(),
      inventory: () => this.#machine.inventory(),
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
        if (health.isSomethingLost()) this.#parts?.hardwareWatch.check();
        // The media host may have the camera back before anybody has looked.
        if (state.kind === 'running' && this.#machine.isCameraAway()) this.#parts?.hardwareWatch.lookIn(0);
      },
    });
    const statusDoor = new StatusDoor(() => ({
      processId: process.pid,
      isConnected: this.#parts?.uplink?.isOnline ?? null,
      health: health.current(),
    }));
    const isAnythingMissing = () => health.isSomethingLost() || isSomethingMissing(keeper.prepared());
    const hardwareWatch: HardwareWatch = new HardwareWatch({
      clock,
      log,
      fingerprint: this.#options.hardwareFingerprint,
      isSomethingMissing: isAnythingMissing,
      redetect: async () => {
        const found = await this.#machine.detect();
        if (health.isPictureLost()) keeper.setMachine(found);
        else keeper.setMachineBeside(found);
        this.#waitForPlace(hardwareWatch);
        health.changed();
      },
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
        switchOutlet: (outlet, isOn) => switchOutlet(outlet, isOn, { switches, keeper, clock, media }),
        stillPicture,
        sendSnapshot: (jpeg) => this.#outbox.setSnapshot(jpeg),
        recordingDirectory: () => recordingPlace(keeper.prepared(), state.path).directory,
        isRecordingDiskAway: () => keeper.prepared().recordingsMeanwhile !== null,
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
      onProgress: (progress) => this.#parts?.uplink?.sendCommandProgress(progress),
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
      escalator: this.#buildEscalator(keeper, health, bootId),
      schedule,
      recordings,
      recordingDisk,
      switches,
      fleetClock,
      statusDoor,
      boardLight,
      logLease,
      commands,
      uplink: this.#buildUplink(keeper, health, commands, bootId),
    };
  }

  #buildRecordings(keeper: SettingsKeeper, disk: RecordingDisk): RecordingsKeeper {
    const { state, clock, random, log, media } = this.#options;
    let status: MediaStatus | null = null;
    media.onStatus((latest) => {
      status = latest;
    });
    return new RecordingsKeeper({
      clock,
      log,
      random,
      place: () => recordingPlace(keeper.prepared(), state.path),
      isThere: async (directory) => {
        await disk.look();
        return !disk.isAway(directory);
      },
      writing: () => writingOf(status),
      record: (kind, detail) => this.#record(kind, detail),
    });
  }

  #buildEscalator(keeper: SettingsKeeper, health: HealthWatch, bootId: string): Escalator {
    const { clock, log, state, media, configuration, restartAgent, reboot } = this.#options;
    return new Escalator({
      clock,
      log,
      state,
      bootId,
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
    return kind === 'test' || (kind === 'camera' && this.#machine.isCameraThere(id));
  }

  #buildUplink(keeper: SettingsKeeper, health: HealthWatch, commands: CommandRunner, bootId: string): Uplink | null {
    return fleetUplink({
      ...this.#options,
      bootId,
      outbox: this.#outbox,
      hello: () => this.#hello(keeper),
      onJoined: ({ deviceId }) => {
        keeper.setDeviceId(deviceId);
        this.#deviceId = deviceId;
        this.#sayReady(keeper);
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

  #connectParts({ health, uplink, recordingDisk }: Parts): void {
    const { media } = this.#options;
    media.onStatus((status) => {
      health.onStatus(status);
      const fault = recordingFault(status);
      recordingDisk.noteFault(fault);
      if (fault !== null) void recordingDisk.look();
    });
    media.onPreview((jpeg) => uplink?.sendPreview(jpeg));
    media.onEvent(({ event, detail }) => this.#record(event, detail));
    this.#events.onReady(() => uplink?.wake());
  }

  #waitForPlace(hardwareWatch: HardwareWatch): void {
    const delayMs = this.#machine.placeIsFreeInMs();
    if (delayMs !== null) hardwareWatch.lookIn(delayMs);
  }

  #hello(keeper: SettingsKeeper): UpwardBody<'hello'> {
    const { revision, digest } = keeper.inForce();
    const { board } = this.#options;
    const gstreamer = this.#options.media.gstreamerVersion() ?? this.#machine.gstreamerVersion() ?? 'unknown';
    return {
      ...(board === null ? {} : { board }),
      inventoryDigest: this.#machine.inventoryDigest(),
      versions: { ...this.#options.versions, gstreamer },
      appliedRevision: revision,
      appliedDigest: digest,
    };
  }

  #record(kind: string, detail: string): void {
    this.#events.add(eventKind.test(kind) ? kind : 'media-event', detail);
  }

  #sayReady(keeper: SettingsKeeper): void {
    const { configuration, hasLostCredentials } = this.#options;
    const isWaitingToJoin = configuration.fleet !== null && this.#deviceId === null && !hasLostCredentials;
    if (this.#isReady || isWaitingToJoin || !keeper.isRunning()) return;
    this.#isReady = true;
    this.#options.onReady({ deviceId: this.#deviceId, source: describeSource(keeper.prepared()) });
  }
}
