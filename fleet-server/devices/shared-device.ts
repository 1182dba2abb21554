/**
 * What one fleet server writes down for the others about a device that is connected to it, or that its relay receives. Written
 * and read by servers of one version; of another version what cannot be read counts as not said.
 */
import { type LiveDevice, saidFields } from '#fleet-server/devices/live-device.ts';
import type { Losses } from '#fleet-server/devices/losses.ts';
import type { RelayReception } from '#protocol/model/device.ts';

/**
 * `agent` and `reception` are one server's at a time: the one that the device is connected to, and the one whose relay receives it. `heard`
 * is each server's own share of what a device said on a wire that they share.
 */
export type LivePart = 'agent' | 'reception' | 'heard';

const agentFields = ['heardAtMs', 'losses', ...saidFields] as const;
export type SharedAgent = Pick<LiveDevice, (typeof agentFields)[number]>;

/** `losses` by the time of day. */
export function writeSharedAgent(live: LiveDevice, losses: Losses): string {
  return JSON.stringify({ ...Object.fromEntries(agentFields.map((field) => [field, live[field]])), losses });
}

export function readSharedAgent(document: string | null): SharedAgent | null {
  return document === null ? null : (JSON.parse(document) as SharedAgent);
}

export function writeSharedReception(reception: RelayReception | null): string | null {
  return reception === null ? null : JSON.stringify(reception);
}

export function readSharedReception(document: string | null): RelayReception | null {
  return document === null ? null : (JSON.parse(document) as RelayReception);
}
