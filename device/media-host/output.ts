/**
 * One consumer of the encoded stream. Outputs start and die alone: nothing that one does can stop the capture or another one.
 */
import type { Clock } from '#device/media/clock.ts';
import type { TagBus } from '#device/media-host/tag-bus.ts';
import type { UplinkReading } from '#device/media-host/uplink-meter.ts';
import type { PlannedOutput } from '#device/plan/pipeline-plan.ts';
import type { OutputStatus } from '#protocol/media.ts';

export type Output = {
  readonly plan: PlannedOutput;
  readonly start: () => void;
  /** Returns at once, whatever network and disk do; may be called twice. */
  readonly stop: () => void;
  /** Of an output that still writes when it is stopped: resolves when all is written, which may be never. */
  readonly settled?: () => Promise<void>;
  /** Called after each tag on the bus, and four times a second without one: all of an output's work is done here. */
  readonly advance: () => void;
  readonly status: () => OutputStatus;
  /** A small raw picture of what is on air, for an output that shows pictures. */
  readonly onPicture?: (picture: Buffer) => void;
  /** What gives those pictures has failed, and tries again by itself when the time is over. */
  readonly onPictureFault?: (reason: string, retryMs: number) => void;
  /** A network has come back: an output that waits for one tries now. */
  readonly onNetworkReturn?: () => void;
  /** Of an output whose way may be too slow for the stream: what the way carries, or that this is not known yet; null while it carries none. */
  readonly uplink?: () => UplinkReading | 'unread' | null;
};

/** What every output is given. */
export type OutputSurroundings = {
  readonly bus: TagBus;
  readonly clock: Clock;
  readonly random: () => number;
  /** Its state has changed. */
  readonly onState: () => void;
  /** A thing that belongs in the device's history. */
  readonly onEvent: (event: string, detail: string) => void;
};
