/** Whether the agent does its work, for a watchdog that restarts it. Pure. */
import type { MediaState } from '#protocol/media.ts';

/** What is known each time the agent's loop comes round: that it is told at all proves the loop. */
export type Pulse = {
  /** Null: no media host is connected; the supervisor is busy with that, and says so. */
  readonly media: MediaState['kind'] | null;
  /** Video frames that have left the encoder. */
  readonly framesTotal: number;
  /** Words heard from the media host. */
  readonly statusesHeard: number;
};

/**
 * While the capture is said to run, only frames are a proof. While it does not, a media host that goes on telling of it is: a
 * camera that has been unplugged is not mended by a new agent.
 */
export function isProgress(before: Pulse | null, now: Pulse): boolean {
  if (before === null || now.media === null) return true;
  if (now.media === 'running') return now.framesTotal !== before.framesTotal;
  return now.statusesHeard !== before.statusesHeard;
}
