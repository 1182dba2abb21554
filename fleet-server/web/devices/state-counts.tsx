/** How many devices are in each state; a press shows only those. */
import { UnstyledButton } from '@mantine/core';
import { type StreamKind, streamTone, streamWords } from '../status/stream-words.ts';
import classes from './devices-page.module.css';
import type { KindCount } from './order.ts';

type StateCountsProps = {
  readonly counts: readonly KindCount[];
  readonly total: number;
  readonly chosen: StreamKind | null;
  readonly onChoose: (kind: StreamKind | null) => void;
};

export function StateCounts({ counts, total, chosen, onChoose }: StateCountsProps) {
  return (
    <fieldset className={classes['counts']} aria-label="Show devices by state">
      <UnstyledButton className={classes['count']} data-tone="quiet" aria-pressed={chosen === null} onClick={() => onChoose(null)}>
        <b>{total}</b> All
      </UnstyledButton>
      {counts.map(({ kind, count }) => (
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
