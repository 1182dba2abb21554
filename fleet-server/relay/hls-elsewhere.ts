/**
 * HLS pictures of a device whose stream another fleet server's relay receives. A page may fetch only from where it came, and a load balancer
 * sends it to any server: so the one that was asked fetches what it has not, and passes it on.
 *
 * INVARIANT: what was passed on once is not passed on again: two servers that each take the other for the right one answer 404.
 */
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { RelayPlace } from '#fleet-server/relay/contract.ts';

/** Says that a fleet server asks, for one of its viewers. */
export const passedOnHeader = 'x-makespacelive-passed-on';
/** Until the whole of it has come: a fragment is 2 s of video. */
const fetchBoundMs = 8000;
/** A fragment of the highest bitrate that a device may have is far below. */
const maxBytes = 32 * 1024 * 1024;

export type HlsRequest = { readonly deviceId: string; readonly ticket: string; readonly file: string };

/** Undefined when the other server has it not, or does not answer in time. The stream fails when it ends too early. */
export async function fetchHls({ url }: RelayPlace, { deviceId, ticket, file }: HlsRequest): Promise<Readable | undefined> {
  try {
    const response = await fetch(`${url}/hls/${ticket}/${deviceId}/${file}`, {
      headers: { [passedOnHeader]: '1' },
      signal: AbortSignal.timeout(fetchBoundMs),
      redirect: 'error',
    });
    const length = Number(response.headers.get('content-length') ?? 0);
    if (!response.ok || response.body === null || length > maxBytes) {
      await response.body?.cancel();
      return undefined;
    }
    return Readable.fromWeb(response.body as ReadableStream);
  } catch {
    // It may have gone this moment: the player asks again, and by then it is known where the stream is.
    return undefined;
  }
}
