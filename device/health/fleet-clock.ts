/**
 * How far the device's clock is from the fleet server's, from the `Date` of an HTTP answer. That header has whole seconds
 * (RFC 9110, 5.6.7), so that the answer is good to half a second and half the time that the exchange took.
 */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Clock } from '#device/media/clock.ts';
import type { FleetTrust, ReadTrust } from '#device/uplink/fleet-trust.ts';

export type ClockOffset = {
  /** Above nought: the device's clock is ahead. */
  readonly offsetMs: number;
  /** The truth is at most this far from `offsetMs`. */
  readonly precisionMs: number;
};

const timeoutMs = 5000;
const measureIntervalMs = 600_000;
/** Until the first answer: a device that starts without network wants to know soon after. */
const retryIntervalMs = 30_000;
/** An exchange that takes longer says too little. */
const longestExchangeMs = 4000;
const halfSecondMs = 500;

/** Pure. Null when the header is none, or the exchange took too long. */
export function offsetFrom(dateHeader: string | undefined, sentAtMs: number, tookMs: number): ClockOffset | null {
  const serverMs = Date.parse(dateHeader ?? '');
  if (Number.isNaN(serverMs) || tookMs < 0 || tookMs > longestExchangeMs) return null;
  const offsetMs = sentAtMs + tookMs / 2 - (serverMs + halfSecondMs);
  return { offsetMs: Math.round(offsetMs), precisionMs: Math.round(halfSecondMs + tookMs / 2) };
}

/** Never rejects. */
export async function measureOffset(fleetUrl: string, clock: Clock, trust: ReadTrust = () => ({})): Promise<ClockOffset | null> {
  const sentAtMs = clock.nowMs();
  const startedMs = clock.monotonicMs();
  const header = await askDate(`${fleetUrl}/healthz`, trust).catch(() => undefined);
  return offsetFrom(header, sentAtMs, clock.monotonicMs() - startedMs);
}

/** Measures every ten minutes; between, the last answer is carried on, because no clock drifts by a second in that time. */
export class FleetClock {
  readonly #fleetUrl: string | null;
  readonly #clock: Clock;
  readonly #measure: typeof measureOffset;
  #last: (ClockOffset & { readonly stepMs: number }) | null = null;
  #cancel: (() => void) | null = null;
  #isRunning = false;

  constructor(fleetUrl: string | null, clock: Clock, measure: typeof measureOffset = measureOffset) {
    this.#fleetUrl = fleetUrl;
    this.#clock = clock;
    this.#measure = measure;
  }

  start(): void {
    if (this.#fleetUrl === null || this.#isRunning) return;
    this.#isRunning = true;
    void this.#look(this.#fleetUrl);
  }

  stop(): void {
    this.#isRunning = false;
    this.#cancel?.();
    this.#cancel = null;
  }

  /** Null until the first measurement. A clock that is set meanwhile shows at once: its step against the monotonic one is added. */
  offset(): ClockOffset | null {
    if (this.#last === null) return null;
    const { offsetMs, precisionMs, stepMs } = this.#last;
    return { offsetMs: Math.round(offsetMs + this.#step() - stepMs), precisionMs };
  }

  async #look(fleetUrl: string): Promise<void> {
    const measured = await this.#measure(fleetUrl, this.#clock);
    if (!this.#isRunning) return;
    if (measured !== null) this.#last = { ...measured, stepMs: this.#step() };
    const delayMs = measured === null ? retryIntervalMs : measureIntervalMs;
    this.#cancel = this.#clock.schedule(() => void this.#look(fleetUrl), delayMs);
  }

  #step(): number {
    return this.#clock.nowMs() - this.#clock.monotonicMs();
  }
}

async function askDate(address: string, trust: ReadTrust): Promise<string | undefined> {
  const options: FleetTrust = trust();
  const send = address.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const sent = send(address, { method: 'HEAD', agent: false, signal: AbortSignal.timeout(timeoutMs), ...options });
    sent.once('error', reject);
    sent.once('response', (response) => {
      response.resume();
      resolve(response.headers.date);
    });
    sent.end();
  });
}
