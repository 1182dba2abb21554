/** Pictures of devices that are connected to another fleet server: too large and too many for the database, so they are asked for. */
import type { Clock } from '#fleet-server/clock.ts';
import type { Preview } from '#fleet-server/devices/previews.ts';
import { isTicketValid, type KeyedHash, makeTicket } from '#fleet-server/relay/ticket.ts';
import type { ServerPlace } from '#fleet-server/servers/servers-store.ts';
import type { PictureTopic } from '#protocol/envelope.ts';

const askMs = 2000;
const ticketMs = 10_000;
/** What the topics of pictures take. */
const maxBytes = 256 * 1024;

export class PreviewsElsewhere {
  readonly #hmac: KeyedHash;
  readonly #clock: Clock;

  constructor(options: { readonly hmac: KeyedHash; readonly clock: Clock }) {
    // The servers share their key; a purpose of its own, so that no player's ticket opens a picture.
    this.#hmac = (purpose, text) => options.hmac(`preview ${purpose}`, text);
    this.#clock = options.clock;
  }

  isTicketValid(deviceId: string, ticket: string): boolean {
    return isTicketValid(this.#hmac, deviceId, ticket, this.#clock.nowMs());
  }

  /** Undefined when the other server has none, or does not answer in time. */
  async fetchFrom({ url }: ServerPlace, deviceId: string, name: PictureTopic): Promise<Preview | undefined> {
    const ticket = makeTicket(this.#hmac, deviceId, this.#clock.nowMs() + ticketMs);
    try {
      const response = await fetch(`${url}/api/v1/devices/${deviceId}/${name}.jpg?ticket=${ticket}`, {
        signal: AbortSignal.timeout(askMs),
        redirect: 'error',
      });
      if (!response.ok || Number(response.headers.get('content-length') ?? maxBytes + 1) > maxBytes) return undefined;
      const jpeg = Buffer.from(await response.arrayBuffer());
      return { jpeg, atMs: Date.parse(response.headers.get('last-modified') ?? '') || this.#clock.nowMs() };
    } catch {
      // It may have gone this moment: the picture is missing as long as the device is.
      return undefined;
    }
  }
}
