/** How many devices are in each state, and how many are shut out; a press shows only those. */
import { UnstyledButton } from '@mantine/core';
import type { DeviceList } from '#protocol/model/device.ts';
import { streamTone, streamWords } from '../status/stream-words.ts';
import classes from './devices-page.module.css';
import type { ListView } from './list-view.ts';

type StateMatch = Pick<ListView['match'], 'state' | 'blocked'>;

type StateCountsProps = {
  readonly counts: Pick<DeviceList, 'states' | 'blocked'>;
  readonly match: StateMatch;
  /** One of them, or none: all devices. */
  readonly onChoose: (match: StateMatch) => void;
};

type CountProps = {
  readonly count: number;
  readonly words: string;
  readonly tone: string;
  readonly kind?: string;
  readonly isChosen: boolean;
  readonly onPress: () => void;
};

function Count({ count, words, tone, kind, isChosen, onPress }: CountProps) {
  return (
    <UnstyledButton className={classes['count']} data-tone={tone} data-kind={kind} aria-pressed={isChosen} onClick={onPress}>
      <b>{count}</b> {words}
    </UnstyledButton>
  );
}

export function StateCounts({ counts: { states, blocked }, match, onChoose }: StateCountsProps) {
  const total = states.reduce((sum, { count }) => sum + count, 0);
  const chosen = match.state;
  const isBlockedChosen = match.blocked === true;
  // A state that no device is in any more keeps its button while it is chosen: by it one leaves.
  const isLeft = chosen !== undefined && !states.some(({ state }) => state === chosen);
  return (
    <fieldset className={classes['counts']} aria-label="Show devices by state">
      <Count count={total} words="All" tone="quiet" isChosen={chosen === undefined && !isBlockedChosen} onPress={() => onChoose({})} />
      {[...states, ...(isLeft ? [{ state: chosen, count: 0 }] : [])].map(({ state, count }) => (
        <Count
          key={state}
          count={count}
          words={streamWords(state)}
          tone={streamTone(state)}
          kind={state}
          isChosen={chosen === state}
          onPress={() => onChoose(chosen === state ? {} : { state })}
        />
      ))}
      {(blocked > 0 || isBlockedChosen) && (
        <Count
          count={blocked}
          words="Blocked"
          tone="quiet"
          kind="blocked"
          isChosen={isBlockedChosen}
          onPress={() => onChoose(isBlockedChosen ? {} : { blocked: true })}
        />
      )}
    </fieldset>
  );
}
