/** The word on top of the picture while it is not the live one. Pure. */
import type { StreamState } from '#protocol/model/device.ts';
import { streamWords } from '../status/stream-words.ts';
import { dayWords } from '../time/words.ts';
import type { PlayerState } from './live-player.ts';

export function coverWords(stream: StreamState, player: PlayerState | null): string {
  switch (stream.kind) {
    case 'live':
      return player?.kind === 'retrying' ? 'Waiting for the picture' : 'Loading the picture';
    case 'offline':
    case 'stopped':
      return `${streamWords(stream.kind)} since ${dayWords(stream.since)}`;
    case 'elsewhere':
      return 'Streams elsewhere: no live picture here';
    default:
      return streamWords(stream.kind);
  }
}
