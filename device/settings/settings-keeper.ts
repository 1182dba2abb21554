/**
 * Keeps the pipeline at what the settings in force ask for: carries out the transaction's effects, plans anew when the
 * machine has changed, and tries again while something does not run. One thing at a time, in order.
 */
import type { Log } from '#device/logging.ts';
import { type BackOffPolicy, backOffDelay } from '#device/media/back-off.ts';
import type { Clock } from '#device/media/clock.ts';
import type { ApplyOutcome } from '#device/media/media-host-supervisor.ts';
import type { PipelinePlan } from '#device/plan/pipeline-plan.ts';
import type { Switched } from '#device/schedule/outlet-switch.ts';
import type { Moment } from '#device/schedule/outlets.ts';
import { describeRefusals } from '#device/settings/describe-refusals.ts';
import { isMended } from '#device/settings/describe-stream.ts';
import { keptLastGood, readLastGood, type SettingsRecord } from '#device/settings/last-good-file.ts';
import { changedKeys, fitSettings, judgeSettings, type Machine, maxRefusals, type Prepared } from '#device/settings/prepare.ts';
import { type SettingsEffect, type SettingsEvent, type SettingsState, settledState, transition } from '#device/settings/transaction.ts';
import type { KeptValue } from '#device/state/kept-value.ts';
import { errorText, type StateDirectory } from '#device/state/state-directory.ts';
import type { Applied, SettingRefusal, UnjudgedDesired } from '#protocol/messages.ts';

/** New settings that do not run within this time are taken back. */
export const runDeadlineMs = 20_000;
/** Effects that may wait; more offers than that are ignored: the server offers again at the next hello. */
const maxWaitingWork = 100;
const retryPolicy: BackOffPolicy = { firstMs: 2000, factor: 2, capMs: 30_000, jitter: 0.3 };

export type SettingsKeeperOptions = {
  readonly media: { readonly apply: (plan: PipelinePlan) => Promise<ApplyOutcome> };
  readonly state: Pick<StateDirectory, 'read' | 'write' | 'remove' | 'reserve'>;
  readonly clock: Clock;
  readonly random: () => number;
  /** The time by which schedules are read; null: all are as if unset. */
  readonly moment: () => Moment | null;
  /** Whether somebody switched the recording by hand; null: the settings decide. */
  readonly isRecordingWanted?: () => boolean | null;
  /** How somebody switched the stream by hand; null: the settings decide. */
  readonly streamSwitch?: () => Switched | null;
  /** Where recordings go instead of that directory; null: they go there. */
  readonly recordingsInsteadOf?: (directory: string) => string | null;
  readonly log: Log;
  readonly record: (kind: string, detail: string) => void;
  readonly onAnswer: (applied: Applied) => void;
  /** What is in force, or what it runs on, may have changed. */
  readonly onChange: () => void;
};

type Work = SettingsEffect | { readonly kind: 'reconcile' };

export class SettingsKeeper {
  readonly #options: SettingsKeeperOptions;
  /** A power cut must not bring back older settings than those that were confirmed. */
  readonly #kept: KeptValue<SettingsRecord>;
  /** What settings that come are judged by. */
  #machine: Machine;
  /** What is in force is planned for it: other than the newest only while that one would change what runs well. */
  #plannedMachine: Machine;
  #deviceId: string | null = null;
  #state: SettingsState = settledState(null, null);
  #prepared: Prepared;
  /** What the media host was given last and said yes to. */
  #runningPlan: PipelinePlan | null = null;
  #work: Work[] = [];
  #worker: Promise<void> | null = null;
  #failedAttempts = 0;
  #cancelRetry: (() => void) | null = null;
  #isStopped = false;

  constructor(machine: Machine, options: SettingsKeeperOptions) {
    const { state, clock } = options;
    this.#options = options;
    this.#kept = keptLastGood({ state, clock, onDiskError: (cause) => this.#sayNotKept(cause) });
    this.#machine = machine;
    this.#plannedMachine = machine;
    this.#prepared = fitSettings(null, machine, options.moment());
  }

  /** Takes up the last good settings. Nothing runs before `reconcile`. */
  async start(deviceId: string | null): Promise<void> {
    this.#deviceId = deviceId;
    if (deviceId === null) return;
    const record = await readLastGood(this.#options.state, deviceId);
    if (record === null) return;
    this.#state = settledState(record.inForce, record.verdict);
    this.#prepared = fitSettings(record.inForce, this.#switched(), this.#options.moment());
  }

  /** Nothing new begins; what is under way may end by itself. What a disk refused is written once more. May be called twice. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#work = [];
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    await this.#kept.stop();
  }

  /**
   * The device has joined: from now on its settings are kept under this name. What runs under another one, lost since, goes on
   * until the first settings under this one, whose revisions begin anew.
   */
  setDeviceId(deviceId: string): void {
    const isAnother = this.#deviceId !== null && this.#deviceId !== deviceId;
    this.#deviceId = deviceId;
    const { inForce } = this.#state;
    if (!isAnother || inForce === null) return;
    this.#state = settledState({ ...inForce, revision: 0 }, null);
    this.#push([{ kind: 'save' }]);
  }

  prepared(): Prepared {
    return this.#prepared;
  }

  /** Revision and digest in force; 0 and null before the first. */
  inForce(): { readonly revision: number; readonly digest: string | null } {
    const { revision = 0, digest = null } = this.#state.inForce ?? {};
    return { revision, digest: revision === 0 ? null : digest };
  }

  /** Why the newest settings are not in force, or not all of them. */
  complaints(): readonly SettingRefusal[] {
    const { verdict, inForce } = this.#state;
    const isPending = verdict !== null && verdict.outcome !== 'applied' && verdict.revision >= (inForce?.revision ?? 0);
    return [...(isPending ? verdict.refusals : []), ...this.#prepared.leftOut];
  }

  /** Whether frames come under a plan of ours. */
  isRunning(): boolean {
    return this.#runningPlan !== null;
  }

  offer(document: UnjudgedDesired): void {
    if (this.#isStopped || this.#work.length >= maxWaitingWork) return;
    this.#dispatch({ kind: 'desired', document });
  }

  /** What runs does not run well: it is planned anew. */
  setMachine(machine: Machine): void {
    this.#plannedMachine = machine;
    this.#setMachine(machine);
  }

  /** Something has come or gone beside what runs: unless it is what was missing, that goes on as it is until other settings are in force. */
  setMachineBeside(machine: Machine): void {
    const prepared = fitSettings(this.#state.inForce, this.#switched(machine), this.#options.moment());
    const isSame = this.#runningPlan === null || isSamePlan(this.#runningPlan, prepared.plan);
    if (isSame || isMended(this.#prepared, prepared) || this.#isMicrophoneElsewhere(prepared, machine)) this.#plannedMachine = machine;
    this.#setMachine(machine);
  }

  /** What runs listens where its microphone no longer is, and that one, or the one in its stead, is there. */
  #isMicrophoneElsewhere({ microphone: next }: Prepared, { hardware: { microphones } }: Machine): boolean {
    const { microphone: present } = this.#prepared;
    if (present === null || next === null) return false;
    const isInPlace = microphones.some(({ id, alsaDevice }) => id === present.id && alsaDevice === present.alsaDevice);
    return !isInPlace && microphones.some(({ id }) => id === next.id);
  }

  #setMachine(machine: Machine): void {
    this.#machine = machine;
    this.reconcile();
    if (this.#state.refused !== null) this.offer(this.#state.refused);
  }

  /** Makes what is in force run, if it does not. */
  reconcile(): void {
    // One that waits before a try is passed over for it (#do), and that one was judged before whatever has changed now.
    const last = this.#work.findLast(({ kind }) => kind === 'reconcile' || kind === 'try');
    if (!this.#isStopped && last?.kind !== 'reconcile') this.#push([{ kind: 'reconcile' }]);
  }

  #dispatch(event: SettingsEvent): void {
    const moment = this.#options.moment();
    const step = transition(this.#state, event, (document, inForce) =>
      judgeSettings(document, inForce, this.#withSwitch(this.#machine), moment),
    );
    this.#state = step.state;
    this.#push(step.effects);
  }

  #push(work: readonly Work[]): void {
    if (work.length === 0) return;
    this.#work.push(...work);
    this.#worker ??= this.#run();
  }

  async #run(): Promise<void> {
    try {
      for (let next = this.#work.shift(); next !== undefined; next = this.#work.shift()) await this.#do(next);
    } finally {
      this.#worker = null;
      this.#options.onChange();
    }
  }

  async #do(work: Work): Promise<void> {
    switch (work.kind) {
      case 'try':
        await this.#try(work.prepared);
        break;
      case 'restore':
        await this.#reconcile();
        this.#dispatch({ kind: 'restored' });
        break;
      case 'reconcile':
        // While a revision is being tried, what runs is its business.
        if (this.#state.phase.kind === 'settled') await this.#reconcile();
        break;
      case 'save':
        await this.#save();
        break;
      case 'answer':
        this.#say(work.applied);
        this.#options.onAnswer(work.applied);
        break;
      case 'record':
        this.#options.record(work.event, work.detail);
        break;
      default:
        work satisfies never;
    }
  }

  async #try(prepared: Prepared): Promise<void> {
    const outcome = await this.#applyInTime(prepared.plan);
    if (this.#isStopped) return;
    if (outcome.kind === 'applied') {
      this.#runningPlan = prepared.plan;
      this.#prepared = prepared;
      this.#plannedMachine = this.#machine;
      this.#settleRetries();
      this.#dispatch({ kind: 'runs' });
      return;
    }
    // What runs now is not known: the host may be on its way back to the former plan.
    this.#runningPlan = null;
    const changed: readonly string[] = changedKeys(this.#prepared.settings, prepared.settings);
    const keys = changed.length > 0 ? changed : ['pipeline'];
    const reason = `does not run: ${outcome.reason}`.slice(0, 500);
    this.#dispatch({ kind: 'does-not-run', refusals: keys.slice(0, maxRefusals).map((key) => ({ key, reason })) });
  }

  async #reconcile(): Promise<void> {
    const prepared = fitSettings(this.#state.inForce, this.#switched(), this.#options.moment());
    this.#prepared = prepared;
    if (this.#runningPlan !== null && isSamePlan(this.#runningPlan, prepared.plan)) return;
    const outcome = await this.#applyInTime(prepared.plan);
    if (this.#isStopped) return;
    if (outcome.kind === 'applied') {
      this.#runningPlan = prepared.plan;
      this.#settleRetries();
      return;
    }
    this.#runningPlan = null;
    this.#failedAttempts += 1;
    const delayMs = backOffDelay(retryPolicy, this.#failedAttempts, this.#options.random());
    this.#options.log.warn(`the pipeline does not run: ${outcome.reason}; trying again in ${Math.ceil(delayMs / 1000)} s`);
    this.#cancelRetry?.();
    this.#cancelRetry = this.#options.clock.schedule(() => this.reconcile(), delayMs);
  }

  #switched(machine = this.#plannedMachine): Machine {
    return { ...this.#withSwitch(machine), isRecordingWanted: this.#options.isRecordingWanted?.() ?? null };
  }

  /** New settings end a switched recording; whether they end a switched stream depends on what they say. */
  #withSwitch(machine: Machine): Machine {
    const { streamSwitch, recordingsInsteadOf } = this.#options;
    return { ...machine, streamSwitch: streamSwitch?.() ?? null, ...(recordingsInsteadOf === undefined ? {} : { recordingsInsteadOf }) };
  }

  #settleRetries(): void {
    this.#failedAttempts = 0;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
  }

  async #applyInTime(plan: PipelinePlan): Promise<ApplyOutcome> {
    let cancel: () => void = () => undefined;
    const late = new Promise<ApplyOutcome>((resolve) => {
      const reason = `no picture within ${runDeadlineMs / 1000} s`;
      cancel = this.#options.clock.schedule(() => resolve({ kind: 'failed', reason }), runDeadlineMs);
    });
    try {
      return await Promise.race([this.#options.media.apply(plan), late]);
    } finally {
      cancel();
    }
  }

  async #save(): Promise<void> {
    const { inForce, verdict } = this.#state;
    if (this.#deviceId !== null) await this.#kept.keep({ deviceId: this.#deviceId, inForce, verdict });
  }

  #sayNotKept(cause: unknown): void {
    this.#options.log.error(`cannot keep the settings on disk (${errorText(cause)}): they hold until the agent ends`);
    this.#options.record('settings-not-kept', `the state directory cannot be written (${errorText(cause)})`);
  }

  #say({ revision, outcome, refusals }: Applied): void {
    if (outcome === 'applied') this.#options.log.info(`settings revision ${revision} in force`);
    else this.#options.log.warn(`settings revision ${revision} ${outcome}: ${describeRefusals(refusals)}`);
  }
}

function isSamePlan(one: PipelinePlan, other: PipelinePlan): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
