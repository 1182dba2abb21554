/** What happened to a device: what it said itself, what the server, the watchdog and people did. */
import type { HistoryEntry } from '#protocol/model/device.ts';

export type NewHistoryEntry = {
  readonly deviceId: string;
  readonly origin: HistoryEntry['origin'];
  /** Lower-case words joined by hyphens. */
  readonly kind: string;
  /** A sentence for people, without secrets; cut at 500 characters. */
  readonly detail: string;
};

export type DeviceHistory = {
  /** Never rejects: an entry that cannot be stored is logged. */
  append(entry: NewHistoryEntry): Promise<void>;
};
