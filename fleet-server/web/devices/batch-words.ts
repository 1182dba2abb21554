/** What is left of a command to several devices. Pure. */
import type { BatchStatus } from '#protocol/model/command.ts';

type BatchCommand = BatchStatus['commands'][number];

/** Those with which it did not work come first, then those that have not done it yet. */
export function notDone({ commands }: Pick<BatchStatus, 'commands'>): readonly BatchCommand[] {
  const isOpen = ({ state }: BatchCommand): boolean => state === 'waiting' || state === 'sent';
  return [...commands.filter((command) => command.state !== 'done' && !isOpen(command)), ...commands.filter(isOpen)];
}

export function batchWords({ total, begun, done, notDone: failed }: BatchStatus['progress']): string {
  return [`${done} of ${total} done`, ...(failed > 0 ? [`${failed} not`] : []), ...(begun > 0 ? [`${begun} under way`] : [])].join(', ');
}
