/** What the watchdog needs of the rest of the fleet server: types only. */
import type { CommandKind } from '#protocol/commands.ts';
import type { MediaState, OutputStatus } from '#protocol/media.ts';
import type { RelayReception } from '#protocol/model/device.ts';

/** What is known of one device at this moment. A LiveDevice of the register fits it. */
export type DeviceView = {
  readonly id: string;
  /** `since` changes with each connection. */
  readonly presence: { readonly state: 'online' | 'offline' | 'unknown'; readonly since: string };
  readonly media: MediaState | null;
  readonly outputs: readonly OutputStatus[];
  readonly reception: RelayReception | null;
  /** Whether its stream address is this fleet's relay; false for `elsewhere`. */
  readonly streamsHere: boolean;
};

export type WatchdogHooks = {
  /** Only one fleet server of several watches. */
  isLeader(): boolean;
  devices(): Iterable<DeviceView>;
  /** When the relay last came to run, in milliseconds since the epoch; null while it does not run. */
  relayRunningSinceMs(): number | null;
  requestCommand(request: {
    readonly deviceId: string;
    readonly kind: CommandKind;
    readonly arguments: Record<string, unknown>;
    readonly requestedBy: 'watchdog';
  }): unknown;
  appendHistory(entry: { readonly deviceId: string; readonly origin: 'watchdog'; readonly kind: string; readonly detail: string }): unknown;
};
