/** The desired document of a device, made from what is set at each level; pure but for the digest's hash, which is passed in. */
import { maxRevision } from '#protocol/identifiers.ts';
import type { Desired, RelayTarget } from '#protocol/messages.ts';
import type { SettingValue } from '#protocol/settings.ts';

export type LevelValues = Readonly<Record<string, SettingValue>>;
export type DesiredContent = Pick<Desired, 'levels' | 'relay' | 'waitsForApproval'>;

/** Of a device that waits for approval: it may be anybody's, so nothing of the fleet is in it. */
export const contentWhileWaiting: DesiredContent = { levels: { fleet: {}, group: {}, device: {} }, relay: null, waitsForApproval: true };

export function desiredContent(levels: {
  readonly fleet: LevelValues;
  readonly group: LevelValues;
  readonly device: LevelValues;
  readonly relay: RelayTarget | null;
}): DesiredContent {
  return { levels: { fleet: { ...levels.fleet }, group: { ...levels.group }, device: { ...levels.device } }, relay: levels.relay };
}

/** JSON with sorted keys and without spaces: the same content is always the same text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
}

export type RevisionState = { readonly desiredRevision: number; readonly desiredDigest: string };

/**
 * The revision that a device's desired document has: one more when its content differs from what it was, and always above
 * what the device claims to hold when that is other content (the store was restored from a backup).
 */
export function nextRevision(
  stored: RevisionState,
  digest: string,
  claimed: { readonly revision: number; readonly digest: string | null } | null,
): RevisionState {
  let revision = digest === stored.desiredDigest ? stored.desiredRevision : stored.desiredRevision + 1;
  if (claimed !== null && claimed.revision >= revision) revision = claimed.digest === digest ? claimed.revision : claimed.revision + 1;
  // A device that claims the last revision there is can be sent nothing newer; the store must stay readable all the same.
  return { desiredRevision: Math.min(revision, maxRevision), desiredDigest: digest };
}
