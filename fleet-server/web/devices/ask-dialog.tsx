/** Asks before several devices are asked for something, and for how long it waits for those that are away. */
import { NativeSelect, Stack } from '@mantine/core';
import { useState } from 'react';
import { type CommandKind, commandDefinitions } from '#protocol/commands.ts';
import { BatchStatus } from '#protocol/model/command.ts';
import { send } from '../api/api.ts';
import { commandChoices } from '../device/command-choices.ts';
import { deadlineChoices } from '../device/command-words.ts';
import { Confirm } from '../layout/confirm.tsx';
import { type Selection, selectionBody } from './selection.ts';

type AskDialogProps = {
  readonly command: CommandKind;
  readonly selection: Selection;
  /** How many they are. */
  readonly words: string;
  readonly onAsked: (batch: BatchStatus) => void;
  readonly onClose: () => void;
};

/** As long as those have that are there. */
const notAwaited = '';

export function AskDialog({ command, selection, words, onAsked, onClose }: AskDialogProps) {
  const [deadlineS, setDeadlineS] = useState<string>(notAwaited);
  const { title } = commandDefinitions[command];
  const choice = commandChoices[command];
  const ask = async (): Promise<void> => {
    const deadline = deadlineS === notAwaited ? {} : { deadlineS: Number(deadlineS) };
    onAsked(await send('POST', '/commands', { kind: command, ...deadline, ...selectionBody(selection) }, BatchStatus));
  };
  return (
    <Confirm
      title={`${title}: ${words}?`}
      words={
        <Stack gap="sm">
          {choice?.words}
          <NativeSelect
            label="Those that are away do it"
            size="xs"
            value={deadlineS}
            onChange={(event) => setDeadlineS(event.currentTarget.value)}
            data={[
              { value: notAwaited, label: 'not, unless they are back in a moment' },
              ...deadlineChoices.map(({ value, label }) => ({ value, label: `if they return within ${label}` })),
            ]}
          />
        </Stack>
      }
      action={title}
      problemTitle="Not asked"
      isGrave={choice?.interrupts === true}
      act={ask}
      onClose={onClose}
    />
  );
}
