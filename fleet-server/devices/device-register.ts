/** The devices of the fleet, as they are now. */
import type { LiveDevice, UpwardMessage } from '#fleet-server/devices/live-device.ts';
import type { RelayReception } from '#protocol/model/device.ts';

export type DeviceRegister = {
  /** Whether the device's credential is right; needs no store access and takes the same time for unknown devices. */
  authenticate(deviceId: string, credential: string): boolean;
  isKnown(deviceId: string): boolean;
  get(deviceId: string): LiveDevice | undefined;
  list(): Iterable<LiveDevice>;
  /** Takes a decoded message. Answers whether it was newer than all before; a stale one changes nothing. */
  onMessage(message: UpwardMessage): 'accepted' | 'stale';
  onPreview(deviceId: string, jpeg: Buffer): void;
  /** From the broker. `disconnected` makes the device offline 1 s later, if it has not come back by then. */
  onConnection(deviceId: string, what: 'connected' | 'disconnected', reason: string): void;
  /** From the relay, once a poll. */
  setReception(deviceId: string, reception: RelayReception | null): void;
  /** The secret part of the device's stream key. */
  streamKeyFor(deviceId: string): string;
  isStreamKeyRight(deviceId: string, key: string): boolean;
};
