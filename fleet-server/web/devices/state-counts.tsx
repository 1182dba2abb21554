/** How many devices are in each state; a press shows only those. */
import { UnstyledButton } from '@mantine/core';
import type { StateCount } from '#protocol/model/device.ts';
import { type StreamKind, streamTone, streamWords } from '../status/stream-words.ts';
import classes from './devices-page.module.css';

type StateCountsProps = {
  readonly counts: readonly StateCount[];
  readonly chosen: StreamKind | null;
  readonly onChoose: (kind: StreamKind | null) => void;
};

export function StateCounts({ counts, chosen, onChoose }: StateCountsProps) {
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  // A state that no device is in any more keeps its button while it is chosen: by it one leaves.
  const isLeft = chosen !== null && !counts.some(({ state }) => state === chosen);
  return (
    <fieldset className={classes['counts']} aria-label="Show devices by state">
      <UnstyledButton className={classes['count']} data-tone="quiet" aria-pressed={chosen === null} onClick={() => onChoose(null)}>
        <b>{total}</b> All
      </UnstyledButton>
      {[...counts, ...(isLeft ? [{ state: chosen, count: 0 }] : [])].map(({ state: kind, count }) => (
        <UnstyledButton
          key={kind}
          className={classes['count']}
          data-tone={streamTone(kind)}
          data-kind={kind}
          aria-pressed={chosen === kind}
          onClick={() => onChoose(chosen === kind ? null : kind)}
        >
          <b>{count}</b> {streamWords(kind)}
        </UnstyledButton>
      ))}
    </fieldset>
  );
}
