/** What can be asked of the devices that are ticked, and what became of it. */
import { Button, Group, NativeSelect, Text } from '@mantine/core';
import { useState } from 'react';
import { type CommandKind, commandDefinitions, isCommandKind } from '#protocol/commands.ts';
import { BatchStatus, maxBatchDevices } from '#protocol/model/command.ts';
import type { DeviceSummary } from '#protocol/model/device.ts';
import { send } from '../api/api.ts';
import { batchChoices, commandChoices } from '../device/command-choices.ts';
import { Confirm } from '../layout/confirm.tsx';
import { BatchResult } from './batch-result.tsx';
import classes from './selection.module.css';

type SelectionBarProps = {
  /** The ticked ones that are still shown. */
  readonly selected: readonly DeviceSummary[];
  readonly shownCount: number;
  readonly onAll: () => void;
  readonly onNone: () => void;
  readonly onEnd: () => void;
};

type Step = { readonly kind: 'choosing' } | { readonly kind: 'asking'; readonly command: CommandKind } | Asked;
type Asked = { readonly kind: 'asked'; readonly batch: BatchStatus; readonly names: ReadonlyMap<string, string> };

export function SelectionBar({ selected, shownCount, onAll, onNone, onEnd }: SelectionBarProps) {
  const [step, setStep] = useState<Step>({ kind: 'choosing' });
  const count = selected.length;
  const countWords = count === 1 ? '1 device' : `${count} devices`;
  const isTooMany = count > maxBatchDevices;
  const ask = async (kind: CommandKind): Promise<void> => {
    const batch = await send('POST', '/commands', { kind, deviceIds: selected.map(({ id }) => id) }, BatchStatus);
    setStep({ kind: 'asked', batch, names: new Map(selected.map(({ id, name }) => [id, name])) });
  };
  return (
    <section className={classes['bar']} aria-label="Selected devices">
      <Text fw={600} role="status">
        {isTooMany ? `${countWords} selected: no more than ${maxBatchDevices} can be asked at once` : `${countWords} selected`}
      </Text>
      <Group gap={8}>
        <Button size="xs" variant="default" disabled={count === shownCount} onClick={onAll}>
          {`Select all ${shownCount} shown`}
        </Button>
        <Button size="xs" variant="default" disabled={count === 0} onClick={onNone}>
          Select none
        </Button>
      </Group>
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
      <Button size="xs" variant="subtle" onClick={onEnd}>
        Done
      </Button>
      {step.kind === 'asking' && (
        <Confirm
          title={`${commandDefinitions[step.command].title}: ${countWords}?`}
          words={commandChoices[step.command]?.words}
          action={commandDefinitions[step.command].title}
          problemTitle="Not asked"
          isGrave={commandChoices[step.command]?.interrupts === true}
          act={() => ask(step.command)}
          onClose={() => setStep((now) => (now.kind === 'asking' ? { kind: 'choosing' } : now))}
        />
      )}
      {step.kind === 'asked' && <BatchResult first={step.batch} names={step.names} onClose={() => setStep({ kind: 'choosing' })} />}
    </section>
  );
}
