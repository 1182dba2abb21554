/** One-shot requests to devices: asked, stored, sent, done once. */
import type { CommandStatus } from '#protocol/model/command.ts';

export type NewCommand = {
  readonly deviceId: string;
  readonly kind: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** A person's name, or `watchdog`. */
  readonly requestedBy: string;
};

export type DeviceCommands = {
  /** Resolves when the command is stored (and then sends it); rejects with a FleetError when device or kind are unknown. */
  request(command: NewCommand): Promise<CommandStatus>;
};
