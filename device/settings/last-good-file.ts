/** The settings that ran last, kept so that a device is what it was after a power cut, network or not. */
import { type Static, Type } from 'typebox';
import { KeptValue, type KeptValueOptions } from '#device/state/kept-value.ts';
import { type StateDirectory, stateFile } from '#device/state/state-directory.ts';
import { Digest, Revision } from '#protocol/identifiers.ts';
import { Desired, SettingRefusal } from '#protocol/messages.ts';

const SettingsRecord = Type.Object({
  /** Given by the fleet at joining: revisions of another fleet mean nothing here. */
  deviceId: Type.String(),
  inForce: Type.Union([Desired, Type.Null()]),
  /** So that a revision that was rolled back does not disturb the stream again after each restart. */
  verdict: Type.Union([
    Type.Object({
      revision: Revision,
      digest: Digest,
      outcome: Type.Enum(['applied', 'refused', 'rolled-back']),
      refusals: Type.Array(SettingRefusal, { maxItems: 64 }),
    }),
    Type.Null(),
  ]),
});
export type SettingsRecord = Static<typeof SettingsRecord>;

const room = { reservedBytes: 64 * 1024 };
const settingsFile = stateFile('settings.json', SettingsRecord, room);
/** A device of a fleet knows no address to stream to without its settings: one damaged file is not to cost it the stream. */
const copyFile = stateFile('settings-copy.json', SettingsRecord, room);

async function read(state: Pick<StateDirectory, 'read'>): Promise<SettingsRecord | null> {
  return (await state.read(settingsFile)) ?? state.read(copyFile);
}

/** Null when there are none of this device. */
export async function readLastGood(state: Pick<StateDirectory, 'read'>, deviceId: string): Promise<SettingsRecord | null> {
  const record = await read(state);
  return record?.deviceId === deviceId ? record : null;
}

/** Of the device that kept settings here last; null when none did. */
export async function lastDeviceId(state: Pick<StateDirectory, 'read'>): Promise<string | null> {
  return (await read(state))?.deviceId ?? null;
}

export function keptLastGood(options: Omit<KeptValueOptions<SettingsRecord>, 'file' | 'copy'>): KeptValue<SettingsRecord> {
  return new KeptValue({ ...options, file: settingsFile, copy: copyFile });
}
