/**
 * The log of a device that is connected to another fleet server: it is only in that one's memory, so it is asked for it.
 *
 * INVARIANT: what was asked with a ticket is not passed on: two servers that each take the other for the right one answer with what they have.
 */
import { Compile } from 'typebox/compile';
import type { Clock } from '#fleet-server/clock.ts';
import { FleetError } from '#fleet-server/errors.ts';
import { isTicketValid, type KeyedHash, makeTicket } from '#fleet-server/relay/ticket.ts';
import type { ServerPlace } from '#fleet-server/servers/servers-store.ts';
import { DeviceLog } from '#protocol/model/log.ts';

const askMs = 3000;
const ticketMs = 10_000;
const deviceLog = Compile(DeviceLog);

export class LogsElsewhere {
  readonly #hmac: KeyedHash;
  readonly #clock: Clock;

  constructor(options: { readonly hmac: KeyedHash; readonly clock: Clock }) {
    // The servers share their key; a purpose of its own, so that a ticket for a picture opens no log.
    this.#hmac = (purpose, text) => options.hmac(`log ${purpose}`, text);
    this.#clock = options.clock;
  }

  isTicketValid(deviceId: string, ticket: string): boolean {
    return isTicketValid(this.#hmac, deviceId, ticket, this.#clock.nowMs());
  }

  /** @throws FleetError when the other server does not answer. */
  async read(place: ServerPlace, deviceId: string, after: number): Promise<DeviceLog> {
    const response = await this.#fetch(place, deviceId, `logs?after=${after}`, AbortSignal.timeout(askMs));
    const answer: unknown = await response.json();
    if (!deviceLog.Check(answer)) throw noAnswer(place);
    return answer as DeviceLog;
  }

  /** Hands the other server's events on as they come, until the signal or the other server ends it. */
  async follow(place: ServerPlace, deviceId: string, lastId: string, send: (text: string) => void, signal: AbortSignal): Promise<void> {
    const response = await this.#fetch(place, deviceId, `logs/live?last=${encodeURIComponent(lastId)}`, signal);
    const decoder = new TextDecoder();
    // A comment of the other server's is a heartbeat here as well.
    for await (const chunk of response.body ?? []) send(decoder.decode(chunk as Uint8Array, { stream: true }));
  }

  async #fetch(place: ServerPlace, deviceId: string, what: string, signal: AbortSignal): Promise<Response> {
    const ticket = makeTicket(this.#hmac, deviceId, this.#clock.nowMs() + ticketMs);
    const response = await fetch(`${place.url}/api/v1/devices/${deviceId}/${what}&ticket=${ticket}`, { signal, redirect: 'error' }).catch(
      (cause: unknown) => {
        throw noAnswer(place, cause);
      },
    );
    if (response.ok) return response;
    await response.body?.cancel();
    throw noAnswer(place);
  }
}

function noAnswer({ url }: ServerPlace, cause?: unknown): FleetError {
  const message = `This device is connected to the fleet server ${url}, which does not answer: try again in a moment.`;
  return new FleetError('not-ready', message, { cause });
}
