/** One-shot requests to the device, as far as it knows them, and what became of those before. */
import { Button, Group, Modal, Skeleton, Stack, Text } from '@mantine/core';
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

type ChoicesProps = { readonly device: DeviceDetail; readonly kinds: readonly CommandKind[]; readonly isUnfinished: boolean };

function Choices({ device, kinds, isUnfinished }: ChoicesProps) {
  const client = useQueryClient();
  const [asked, setAsked] = useState<CommandKind | null>(null);
  const request = useMutation({
    mutationFn: (kind: CommandKind) => send('POST', pathOf('devices', device.id, 'commands'), { kind }, CommandStatus),
    onSuccess: (status) => {
      client.setQueryData(queryKeys.commands(device.id), (before: CommandList | undefined) =>
        before === undefined ? before : { commands: [status, ...before.commands.filter(({ id }) => id !== status.id)] },
      );
      void client.invalidateQueries({ queryKey: queryKeys.commands(device.id) });
    },
  });
  const isAway = device.presence.state === 'offline';
  const choose = (kind: CommandKind): void => (commandChoices[kind]?.interrupts === true ? setAsked(kind) : request.mutate(kind));
  return (
    <div className={classes['tools']}>
      <Group gap={8}>
        {kinds.map((kind) => (
          <Button
            key={kind}
            variant="default"
            size="xs"
            title={commandChoices[kind]?.words}
            disabled={isUnfinished || request.isPending || isAway}
            onClick={() => choose(kind)}
          >
            {commandDefinitions[kind].title}
          </Button>
        ))}
      </Group>
      <div role="status" className={classes['status']}>
        {isAway && <p className={classes['words']}>A device that is not connected can do nothing.</p>}
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
  if (kinds.length === 0 && list.length === 0) return null;
  return (
    <Panel title="Commands">
      {kinds.length > 0 && <Choices device={device} kinds={kinds} isUnfinished={list.some((command) => !isFinished(command))} />}
      <div aria-live="polite">
        {commands.data === undefined && commands.isPending && <Skeleton h={60} aria-label="Loading" />}
        {commands.data === undefined && commands.isError && (
          <ProblemAlert title="The commands cannot be read" error={commands.error} onRetry={() => void commands.refetch()} />
        )}
        {commands.data !== undefined && <CommandHistory commands={list} />}
      </div>
    </Panel>
  );
}
