/** Says once for each change which picture is on air, and where it goes: in the log, to the service manager and in the history. */
import { isStandInPicture } from '#device/health/health-report.ts';
import type { Log } from '#device/logging.ts';
import type { ServiceManager } from '#device/service/service-manager.ts';
import { describeRefusals } from '#device/settings/describe-refusals.ts';
import { describeStream } from '#device/settings/describe-stream.ts';
import type { Prepared } from '#device/settings/prepare.ts';

export type StreamAnnouncerOptions = {
  readonly log: Log;
  /** Null: nobody but a person looks after this process. */
  readonly service: Pick<ServiceManager, 'say'> | null;
  /** An event of the history. */
  readonly record: (kind: string, detail: string) => void;
};

export class StreamAnnouncer {
  readonly #options: StreamAnnouncerOptions;
  #said: { readonly line: string; readonly isStandIn: boolean; readonly isPaused: boolean } | null = null;

  constructor(options: StreamAnnouncerOptions) {
    this.#options = options;
  }

  say(prepared: Prepared): void {
    const { log, service, record } = this.#options;
    const line = describeStream(prepared);
    const isStandIn = isStandInPicture(prepared);
    const before = this.#said;
    if (before?.line === line) return;
    const isPaused = prepared.isStreamSwitchedOn === null && !prepared.schedule.allowed.stream;
    this.#said = { line, isStandIn, isPaused };
    log.info(line);
    service?.say(line);
    if (prepared.leftOut.length > 0) log.warn(`left out for the time being: ${describeRefusals(prepared.leftOut)}`);
    if (before === null) return;
    if (before.isPaused !== isPaused) record(isPaused ? 'schedule-off' : 'schedule-on', line);
    if (before.isStandIn === isStandIn) return;
    if (isStandIn) record('camera-lost', line);
    else record('camera-found', line);
  }
}
