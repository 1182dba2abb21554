/**
 * What a device may do: whether its credential and its stream key are right, and whether it is let in.
 *
 * INVARIANT: none of this needs the store: a fleet that reconnects as a whole must not queue for the disk.
 */
import { timingSafeEqual } from 'node:crypto';
import type { DeviceEntry } from '#fleet-server/devices/device-entry.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';

export type DeviceRightsOptions = {
  readonly secrets: Secrets;
  /** In the register. */
  find(deviceId: string): DeviceEntry | undefined;
  /** A device has used its new credential for the first time. */
  onCredentialTaken?(deviceId: string, hash: string): void;
};

export class DeviceRights {
  readonly #options: DeviceRightsOptions;

  constructor(options: DeviceRightsOptions) {
    this.#options = options;
  }

  /** Whether the device's credential is right; takes the same time for unknown devices. */
  authenticate(deviceId: string, credential: string): boolean {
    const came = this.credentialHash(credential);
    const entry = this.#options.find(deviceId);
    const none = Buffer.alloc(came.length);
    const isPresent = timingSafeEqual(came, entry?.credentialHash ?? none);
    const isNext = timingSafeEqual(came, entry?.nextCredentialHash ?? none);
    if (entry === undefined || (!isPresent && !isNext) || entry.live.blockedSinceMs !== null) return false;
    if (!isPresent) {
      entry.credentialHash = came;
      entry.nextCredentialHash = null;
      this.#options.onCredentialTaken?.(deviceId, came.toString('hex'));
    }
    return true;
  }

  /** Whether the credential is that of a device which is shut out: that may be said to it, and to nobody else. */
  isBlockedWith(deviceId: string, credential: string): boolean {
    const entry = this.#options.find(deviceId);
    if (entry === undefined || entry.live.blockedSinceMs === null) return false;
    const came = this.credentialHash(credential);
    return [entry.credentialHash, entry.nextCredentialHash].some((hash) => hash !== null && timingSafeEqual(came, hash));
  }

  /** Known, and not shut out. */
  mayConnect(deviceId: string): boolean {
    return this.#options.find(deviceId)?.live.blockedSinceMs === null;
  }

  credentialHash(credential: string): Buffer {
    return this.#options.secrets.hmac('device-credential', credential);
  }

  streamKeyFor(deviceId: string): string {
    return this.streamKeyOf(deviceId, this.#options.find(deviceId)?.keyGeneration ?? 0);
  }

  streamKeyOf(deviceId: string, generation: number): string {
    return this.#options.secrets.hmac('stream-key', `${deviceId} ${generation}`).toString('base64url');
  }

  /** Of one that waits for approval, or is shut out, no key is right. */
  isStreamKeyRight(deviceId: string, key: string): boolean {
    const expected = this.#options.secrets.hmac('compare', this.streamKeyFor(deviceId));
    return timingSafeEqual(expected, this.#options.secrets.hmac('compare', key)) && this.mayStream(deviceId);
  }

  /** Whether the relay may have it: it is known, and was let in. */
  mayStream(deviceId: string): boolean {
    const live = this.#options.find(deviceId)?.live;
    return live?.waitingSinceMs === null && live.blockedSinceMs === null;
  }
}
