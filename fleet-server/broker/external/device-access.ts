/** Who keeps the external broker's door: it asks this server for each client (hooks), or is told beforehand (dynamic security). */

export type DeviceAccess = {
  start(): void;
  stop(): Promise<void>;
  /** See DeviceBroker.admit. */
  admit(deviceId: string, credential: string): Promise<void>;
  /** The device is no more: its connection is cut and no other one is let in. Never rejects. */
  revoke(deviceId: string): Promise<void>;
  /** Its connection is cut, and it may come again at once. Never rejects. */
  cut(deviceId: string): Promise<void>;
  /** Why devices may be shut out now, in words; null when all is well. */
  problem(): string | null;
};
