/** The health of a board of which nothing is to be said. */
import type { BoardHealth } from '#protocol/messages.ts';

export const madeUpBoard: BoardHealth = {
  uptimeS: 1,
  loadAverage1m: 0,
  memoryTotalBytes: 1,
  memoryAvailableBytes: 1,
  agentRssBytes: 1,
  mediaHostRssBytes: 1,
  diskTotalBytes: 1,
  diskFreeBytes: 1,
};
