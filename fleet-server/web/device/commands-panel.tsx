/** One-shot requests to the device, as far as it knows them, and what became of those before. */
import { Button, Group, Modal, NativeSelect, Skeleton, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { type CommandKind, commandDefinitions } from '#protocol/commands.ts';
import { type CommandList, CommandStatus } from '#protocol/model/command.ts';
import type { DeviceDetail } from '#protocol/model/device.ts';
import { pathOf, send } from '../api/api.ts';
import { commandsQuery, isFinished } from '../api/queries.ts';
import { queryKeys } from '../api/query-keys.ts';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { useMay } from '../session/person.tsx';
import { commandChoices, offeredCommands } from './command-choices.ts';
import { CommandHistory } from './command-history.tsx';
import { deadlineChoices } from './command-words.ts';
import classes from './commands.module.css';
import { Panel } from './panel.tsx';

type QuestionProps = { readonly kind: CommandKind; readonly onClose: () => void; readonly onConfirm: () => void };

function Question({ kind, onClose, onConfirm }: QuestionProps) {
  const { title } = commandDefinitions[kind];
  return (
    <Modal opened onClose={onClose} title={`${title}?`} centered size="sm">
      <Stack>
        <Text size="sm">{commandChoices[kind]?.words}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button onClick={onConfirm} data-autofocus>
            {title}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

type ChoicesProps = { readonly device: DeviceDetail; readonly kinds: readonly CommandKind[]; readonly unfinished: ReadonlySet<string> };

function Choices({ device, kinds, unfinished }: ChoicesProps) {
  const client = useQueryClient();
  const [asked, setAsked] = useState<CommandKind | null>(null);
  const [deadlineS, setDeadlineS] = useState('86400');
  const isAway = device.presence.state !== 'online';
  const request = useMutation({
    mutationFn: (kind: CommandKind) => {
      const body = isAway ? { kind, deadlineS: Number(deadlineS) } : { kind };
      return send('POST', pathOf('devices', device.id, 'commands'), body, CommandStatus);
    },
    onSuccess: (status) => {
      client.setQueryData(queryKeys.commands(device.id), (before: CommandList | undefined) =>
        before === undefined ? before : { commands: [status, ...before.commands.filter(({ id }) => id !== status.id)] },
      );
      void client.invalidateQueries({ queryKey: queryKeys.commands(device.id) });
    },
  });
  const choose = (kind: CommandKind): void => (commandChoices[kind]?.interrupts === true ? setAsked(kind) : request.mutate(kind));
  return (
    <div className={classes['tools']}>
      {isAway && (
        <div className={classes['away']}>
          <p className={classes['words']}>
            The device is not connected. What you ask for waits until it is back, and is done then if it returns within
          </p>
          <NativeSelect
            aria-label="If it returns within"
            size="xs"
            value={deadlineS}
            onChange={(event) => setDeadlineS(event.currentTarget.value)}
            data={[...deadlineChoices]}
          />
        </div>
      )}
      <Group gap={8}>
        {kinds.map((kind) => (
          <Button
            key={kind}
            variant="default"
            size="xs"
            title={commandChoices[kind]?.words}
            disabled={unfinished.has(kind) || request.isPending}
            onClick={() => choose(kind)}
          >
            {commandDefinitions[kind].title}
          </Button>
        ))}
      </Group>
      <div role="status" className={classes['status']}>
        {request.isError && <ProblemAlert title="Not asked" error={request.error} />}
      </div>
      {asked !== null && (
        <Question
          kind={asked}
          onClose={() => setAsked(null)}
          onConfirm={() => {
            request.mutate(asked);
            setAsked(null);
          }}
        />
      )}
    </div>
  );
}

export function CommandsPanel({ device }: { readonly device: DeviceDetail }) {
  const isOperator = useMay('operator');
  const commands = useQuery(commandsQuery(device.id));
  const list = commands.data?.commands ?? [];
  const kinds = isOperator ? offeredCommands(device.capabilities) : [];
  // One of a kind at a time; the others need not wait for it.
  const unfinished = new Set(list.filter((command) => !isFinished(command)).map(({ kind }) => kind));
  return (
    <Panel title="Commands">
      {kinds.length > 0 && <Choices device={device} kinds={kinds} unfinished={unfinished} />}
      <div aria-live="polite">
        {commands.data === undefined && commands.isPending && <Skeleton h={60} aria-label="Loading" />}
        {commands.data === undefined && commands.isError && (
          <ProblemAlert title="The commands cannot be read" error={commands.error} onRetry={() => void commands.refetch()} />
        )}
        {commands.data !== undefined && <CommandHistory deviceId={device.id} commands={list} />}
      </div>
    </Panel>
  );
}
