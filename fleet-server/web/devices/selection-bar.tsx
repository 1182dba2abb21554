/** What can be done with the devices that are chosen, and what became of it. */
import { Button, Group, NativeSelect, Text } from '@mantine/core';
import { useState } from 'react';
import { type CommandKind, commandDefinitions, isCommandKind } from '#protocol/commands.ts';
import { type BatchStatus, maxBatchDevices } from '#protocol/model/command.ts';
import { batchChoices } from '../device/command-choices.ts';
import { AskDialog } from './ask-dialog.tsx';
import { BatchResult } from './batch-result.tsx';
import { MoveDialog } from './move-dialog.tsx';
import classes from './selection.module.css';
import { noneTicked, type Selected, type Selection, withAll } from './selection.ts';
import { TagDialog } from './tag-dialog.tsx';

type SelectionBarProps = {
  readonly selection: Selection;
  /** On this page. */
  readonly shown: readonly Selected[];
  /** On all pages. */
  readonly total: number;
  readonly match: Extract<Selection, { kind: 'matching' }>['match'];
  readonly onSelection: (selection: Selection) => void;
  readonly onEnd: () => void;
};

type Step =
  | { readonly kind: 'choosing' }
  | { readonly kind: 'tagging' }
  | { readonly kind: 'moving' }
  | { readonly kind: 'asking'; readonly command: CommandKind }
  | Asked;
type Asked = { readonly kind: 'asked'; readonly batch: BatchStatus };

/** A request may hold so many by their ids. */
const maxTicked = 1000;

function wordsOf(count: number): string {
  return count === 1 ? '1 device' : `${count} devices`;
}

export function SelectionBar({ selection, shown, total, match, onSelection, onEnd }: SelectionBarProps) {
  const [step, setStep] = useState<Step>({ kind: 'choosing' });
  const count = selection.kind === 'ticked' ? selection.devices.size : total;
  const most = selection.kind === 'ticked' ? maxTicked : maxBatchDevices;
  const countWords = selection.kind === 'ticked' ? wordsOf(count) : `All ${wordsOf(count)} that match`;
  const isTooMany = count > most;
  const isAllShown = selection.kind === 'matching' || shown.every(({ id }) => selection.devices.has(id));
  const names = new Map([...(selection.kind === 'ticked' ? selection.devices : []), ...shown.map(({ id, name }) => [id, name] as const)]);
  const close = (): void => setStep({ kind: 'choosing' });
  return (
    <section className={classes['bar']} aria-label="Selected devices">
      <Text fw={600} role="status">
        {isTooMany ? `${countWords} selected: no more than ${most} can be chosen at once` : `${countWords} selected`}
      </Text>
      <Group gap={8}>
        <Button size="xs" variant="default" disabled={isAllShown} onClick={() => onSelection(withAll(selection, shown))}>
          {`Select all ${shown.length} shown`}
        </Button>
        {total > shown.length && (
          <Button
            size="xs"
            variant="default"
            disabled={selection.kind === 'matching'}
            onClick={() => onSelection({ kind: 'matching', match })}
          >
            {`Select all ${total} that match`}
          </Button>
        )}
        <Button size="xs" variant="default" disabled={count === 0} onClick={() => onSelection(noneTicked)}>
          Select none
        </Button>
      </Group>
      <Group gap={8}>
        <NativeSelect
          aria-label="Ask the selected devices"
          size="xs"
          disabled={count === 0 || isTooMany}
          value=""
          onChange={({ currentTarget: { value } }) => isCommandKind(value) && setStep({ kind: 'asking', command: value })}
          data={[
            { value: '', label: 'Ask them to…' },
            ...batchChoices.map((kind) => ({ value: kind, label: commandDefinitions[kind].title })),
          ]}
        />
        <Button size="xs" variant="default" disabled={count === 0 || isTooMany} onClick={() => setStep({ kind: 'tagging' })}>
          Tags…
        </Button>
        <Button size="xs" variant="default" disabled={count === 0 || isTooMany} onClick={() => setStep({ kind: 'moving' })}>
          Group…
        </Button>
        <Button size="xs" variant="subtle" onClick={onEnd}>
          Done
        </Button>
      </Group>
      {step.kind === 'asking' && (
        <AskDialog
          command={step.command}
          selection={selection}
          words={wordsOf(count)}
          onAsked={(batch) => setStep({ kind: 'asked', batch })}
          onClose={() => setStep((now) => (now.kind === 'asking' ? { kind: 'choosing' } : now))}
        />
      )}
      {step.kind === 'tagging' && <TagDialog selection={selection} words={wordsOf(count)} onClose={close} />}
      {step.kind === 'moving' && <MoveDialog selection={selection} words={wordsOf(count)} onClose={close} />}
      {step.kind === 'asked' && <BatchResult first={step.batch} names={names} onClose={close} />}
    </section>
  );
}
