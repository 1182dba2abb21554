/** What the watchdog needs of the rest of the fleet server: types only. */
import type { KeptReport } from '#fleet-server/devices/kept-report.ts';
import type { Act } from '#fleet-server/watchdog/decide.ts';
import type { CommandKind } from '#protocol/commands.ts';
import type { MediaState, OutputStatus } from '#protocol/media.ts';
import type { RelayReception } from '#protocol/model/device.ts';
import type { WatchdogPolicy } from '#protocol/model/watchdog.ts';

/** What is known of one device at this moment. A LiveDevice of the register fits it. */
export type DeviceView = {
  readonly id: string;
  readonly group: string | null;
  /** `since` changes with each connection. */
  readonly presence: { readonly state: 'online' | 'offline' | 'unknown'; readonly since: string };
  readonly media: MediaState | null;
  readonly outputs: readonly OutputStatus[];
  readonly reception: RelayReception | null;
  /** Whether its stream address is this fleet's relay; false for `elsewhere`. */
  readonly streamsHere: boolean;
  /** What the device says of its picture and its sound, among others. */
  readonly conditions: readonly { readonly code: string }[];
  /** Null: it has not said yet which commands it knows. */
  readonly report: KeptReport | null;
};

export type WatchdogHooks = {
  /** Only one fleet server of several watches. */
  isLeader(): boolean;
  devices(): Iterable<DeviceView>;
  /** When the relay that it streams to came to run, in milliseconds since the epoch; null while that does not run. */
  relayRunningSinceMs(device: DeviceView): number | null;
  policyOf(device: DeviceView): WatchdogPolicy;
  /** In a maintenance window. */
  isSilenced(device: DeviceView): boolean;
  /** What was done since then, by device. */
  actsSince(sinceMs: number): Promise<ReadonlyMap<string, readonly Act[]>>;
  requestCommand(request: {
    readonly deviceId: string;
    readonly kind: CommandKind;
    readonly arguments: Record<string, unknown>;
    readonly requestedBy: 'watchdog';
    /** Written with it. */
    readonly historyEntry: WatchdogEntry;
  }): unknown;
  appendHistory(entry: WatchdogEntry): unknown;
};

export type WatchdogEntry = { readonly deviceId: string; readonly origin: 'watchdog'; readonly kind: string; readonly detail: string };
