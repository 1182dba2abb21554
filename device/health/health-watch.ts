/**
 * Watches the media host and the board, and tells the fleet: health each 10 s and at once when the media state, the loss of the
 * microphone or the size of the picture changes, a report when something that people look at has changed, and each 60 s.
 */
import type { BoardSample } from '#device/health/board-sampler.ts';
import { type CameraLosses, noLosses, rememberLosses } from '#device/health/camera-losses.ts';
import { noConditions, shownConditions, type TrackedConditions, trackConditions } from '#device/health/condition-tracker.ts';
import { nothingWatched, type WatchedContent, watchContent } from '#device/health/content-watch.ts';
import type { ClockOffset } from '#device/health/fleet-clock.ts';
import {
  buildHealth,
  type DropMemory,
  isPipelineFailed,
  mediaStateOf,
  noDrops,
  observeConditions,
  rememberDrops,
  reportedSettings,
  reportFingerprint,
} from '#device/health/health-report.ts';
import { UplinkRate } from '#device/health/uplink-rate.ts';
import { type Clock, timeOf } from '#device/media/clock.ts';
import type { MediaStatus } from '#device/media/host-protocol.ts';
import type { Time } from '#device/schedule/outlets.ts';
import type { Pulse } from '#device/service/proof-of-life.ts';
import type { Prepared } from '#device/settings/prepare.ts';
import { commandDefinitions } from '#protocol/commands.ts';
import type { Condition } from '#protocol/conditions.ts';
import type { MediaState, OutputStatus } from '#protocol/media.ts';
import type { Health, Inventory, RecordingsSummary, Report, SettingRefusal } from '#protocol/messages.ts';

export const healthIntervalMs = 10_000;
/** Devices that were started together must not speak together. */
const healthJitter = 0.1;
const reportIntervalMs = 60_000;
/** Changes come in bunches: a capture that starts changes state, output and conditions within moments. */
const reportDebounceMs = 200;

export type HealthWatchOptions = {
  readonly clock: Clock;
  readonly random: () => number;
  readonly sampleBoard: () => Promise<BoardSample>;
  readonly clockOffset: () => ClockOffset | null;
  readonly time: () => Time;
  readonly prepared: () => Prepared;
  readonly recordings: () => RecordingsSummary | null;
  readonly isRecordingWithState: () => boolean;
  readonly complaints: () => readonly SettingRefusal[];
  readonly inventory: () => Inventory;
  readonly appliedRevision: () => number;
  readonly sendHealth: (health: Health) => void;
  readonly sendReport: (report: Report) => void;
  /** Each time there is word of the media host, and with each health. */
  readonly onPulse: (pulse: Pulse) => void;
  readonly onMediaState: (media: MediaState) => void;
};

export class HealthWatch {
  readonly #options: HealthWatchOptions;
  #board: BoardSample | null = null;
  #status: MediaStatus | null = null;
  #hostLost: { readonly at: string; readonly atMs: number };
  #mediaKind: MediaState['kind'] = 'starting';
  #isMicrophoneLost = false;
  #size = '';
  #drops: DropMemory = noDrops;
  #losses: CameraLosses = noLosses;
  #content: WatchedContent = nothingWatched;
  readonly #uplinkRate = new UplinkRate();
  #uplinkKbps: number | undefined;
  #recordingDrops: DropMemory = noDrops;
  #wasFailed = false;
  #tracked: TrackedConditions = noConditions;
  #lastFingerprint = '';
  #statusesHeard = 0;
  #cancelHealth: (() => void) | null = null;
  #cancelReport: (() => void) | null = null;
  #cancelDebounce: (() => void) | null = null;
  #isRunning = false;

  constructor(options: HealthWatchOptions) {
    this.#options = options;
    this.#hostLost = this.#now();
  }

  async start(): Promise<void> {
    this.#isRunning = true;
    this.#board = await this.#options.sampleBoard();
    if (!this.#isRunning) return;
    this.#scheduleHealth();
    this.#scheduleReport();
  }

  stop(): void {
    this.#isRunning = false;
    this.#cancelHealth?.();
    this.#cancelReport?.();
    this.#cancelDebounce?.();
    this.#cancelDebounce = null;
  }

  onStatus(status: MediaStatus | null): void {
    const { clock } = this.#options;
    if (status === null && this.#status !== null) this.#hostLost = this.#now();
    this.#status = status;
    this.#content = watchContent(this.#content, status?.figures ?? null, clock.monotonicMs());
    if (status !== null) {
      const isRecording = ({ kind }: OutputStatus) => kind === 'recording';
      const sent = status.outputs.filter((output) => !isRecording(output));
      this.#losses = rememberLosses(this.#losses, status.captureLosses ?? 0, clock.monotonicMs());
      this.#drops = rememberDrops(this.#drops, sent, clock.monotonicMs());
      this.#recordingDrops = rememberDrops(this.#recordingDrops, status.outputs.filter(isRecording), clock.monotonicMs());
    }
    this.#wasFailed = isPipelineFailed(status, this.#wasFailed);
    this.#statusesHeard += 1;
    this.#pulse();
    const media = this.#media();
    const isMicrophoneLost = media.kind === 'running' && media.microphoneLostAt !== undefined;
    const hasStateChanged = media.kind !== this.#mediaKind || isMicrophoneLost !== this.#isMicrophoneLost;
    const size = status === null || status.figures === null ? '' : `${status.figures.width}x${status.figures.height}`;
    // A host that is just starting again has no figures for a moment: that is no new size.
    const hasSizeChanged = size !== '' && size !== this.#size;
    this.#mediaKind = media.kind;
    this.#isMicrophoneLost = isMicrophoneLost;
    if (size !== '') this.#size = size;
    this.changed();
    if (hasStateChanged || hasSizeChanged) this.#sendHealth();
    if (hasStateChanged) this.#options.onMediaState(media);
  }

  /** The last one heard; null while no host is connected. */
  status(): MediaStatus | null {
    return this.#status;
  }

  /** The pipeline, its camera or its microphone. */
  isSomethingLost(): boolean {
    return this.isPictureLost() || this.#isMicrophoneLost;
  }

  isPictureLost(): boolean {
    return this.#wasFailed || this.#status?.media.kind === 'no-signal';
  }

  /** Something that a report holds may have changed. */
  changed(): void {
    if (!this.#isRunning) return;
    this.#cancelDebounce ??= this.#options.clock.schedule(() => {
      this.#cancelDebounce = null;
      this.#report('when-changed');
    }, reportDebounceMs);
  }

  /** Null before the first look at the board. */
  current(): Health | null {
    const board = this.#board;
    if (board === null) return null;
    return buildHealth({
      status: this.#status,
      hostLostAt: this.#hostLostAt(),
      board,
      clockOffset: this.#options.clockOffset(),
      uplinkKbps: this.#uplinkKbps,
      conditions: this.#conditions(board),
      recordings: this.#options.recordings(),
    });
  }

  /** A server that hears this device for the first time, or again. */
  tellAll(): void {
    if (!this.#isRunning) return;
    this.#report('in-any-case');
    this.#sendHealth();
  }

  #scheduleHealth(): void {
    const delayMs = healthIntervalMs * (1 + healthJitter * (2 * this.#options.random() - 1));
    this.#cancelHealth = this.#options.clock.schedule(() => {
      this.#options
        .sampleBoard()
        .then((board) => {
          this.#board = board;
        })
        .finally(() => {
          if (!this.#isRunning) return;
          this.#uplinkKbps = this.#uplinkRate.sample(this.#status?.outputs ?? [], this.#options.clock.monotonicMs());
          this.#sendHealth();
          this.#pulse();
          this.#scheduleHealth();
        });
    }, delayMs);
  }

  #scheduleReport(): void {
    this.#cancelReport = this.#options.clock.schedule(() => {
      this.#report('in-any-case');
      this.#scheduleReport();
    }, reportIntervalMs);
  }

  #sendHealth(): void {
    const health = this.current();
    if (health !== null && this.#isRunning) this.#options.sendHealth(health);
  }

  #report(when: 'when-changed' | 'in-any-case'): void {
    const board = this.#board;
    if (board === null) return;
    const prepared = this.#options.prepared();
    const { source, encoder } = prepared.plan.capture;
    const report: Report = {
      inventory: this.#options.inventory(),
      settings: reportedSettings(prepared),
      source,
      encoder,
      media: this.#media(),
      outputs: this.#status?.outputs ?? [],
      conditions: this.#conditions(board),
      appliedRevision: this.#options.appliedRevision(),
      capabilities: Object.keys(commandDefinitions),
    };
    const fingerprint = reportFingerprint(report);
    if (when === 'when-changed' && fingerprint === this.#lastFingerprint) return;
    this.#lastFingerprint = fingerprint;
    this.#options.sendReport(report);
  }

  #pulse(): void {
    const media = this.#status?.media.kind ?? null;
    this.#options.onPulse({ media, framesTotal: this.#status?.framesTotal ?? 0, statusesHeard: this.#statusesHeard });
  }

  #media(): MediaState {
    return mediaStateOf(this.#status, this.#hostLostAt());
  }

  #now(): { readonly at: string; readonly atMs: number } {
    const { clock } = this.#options;
    return { at: new Date(clock.nowMs()).toISOString(), atMs: clock.monotonicMs() };
  }

  #hostLostAt(): string {
    const { clock } = this.#options;
    return timeOf(this.#hostLost.at, this.#hostLost.atMs, { nowMs: clock.nowMs(), monotonicMs: clock.monotonicMs() });
  }

  #conditions(board: BoardSample): Condition[] {
    const { clock, prepared, complaints } = this.#options;
    const monotonicMs = clock.monotonicMs();
    const observed = observeConditions({
      status: this.#status,
      prepared: prepared(),
      complaints: complaints(),
      board,
      clockOffset: this.#options.clockOffset(),
      drops: this.#drops,
      losses: this.#losses,
      content: this.#content,
      time: this.#options.time(),
      recordingDrops: this.#recordingDrops,
      isRecordingWithState: this.#options.isRecordingWithState(),
      monotonicMs,
      wasFailed: this.#wasFailed,
    });
    this.#tracked = trackConditions(this.#tracked, observed, { nowMs: clock.nowMs(), monotonicMs });
    return shownConditions(this.#tracked, monotonicMs);
  }
}
