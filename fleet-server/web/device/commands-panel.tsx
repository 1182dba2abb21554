/** One-shot requests to the device, and what became of the last one. */
import { Button, Group, Loader, Modal, Stack, Text } from '@mantine/core';
import { IconCircleCheck, IconCircleX, IconRefresh } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { type CommandKind, commandDefinitions, isCommandKind } from '#protocol/commands.ts';
import { CommandStatus } from '#protocol/model/command.ts';
import type { DeviceDetail } from '#protocol/model/device.ts';
import { messageOf, pathOf, send } from '../api/api.ts';
import { commandQuery, isFinished } from '../api/queries.ts';
import { queryKeys } from '../api/query-keys.ts';
import { useMay } from '../session/person.tsx';
import { commandTone, commandWords } from './command-words.ts';
import classes from './device-page.module.css';
import { Panel } from './panel.tsx';

/** Those that need no arguments; the others are asked for where what they are about is shown. */
const questions: { readonly [Kind in CommandKind]?: string } = {
  'restart-pipeline': 'The picture stops for about two seconds.',
  'restart-media-host': 'The process that makes the picture ends and starts anew; the picture stops for a few seconds.',
  'restart-agent': 'The device’s program ends and is started anew; the picture stops for some seconds.',
  reboot: 'The board restarts: no picture for about a minute. Only where the device’s own environment allows it.',
  identify: 'The light on the board blinks for ten seconds, so that somebody in the room finds it.',
  'run-doctor': 'The device looks through everything that a stream needs. The stream goes on.',
  'start-recording': 'The device records until its settings change next, whatever AV_RECORD says. The stream goes on.',
  'stop-recording': 'The device records no more until its settings change next, whatever AV_RECORD says. The stream goes on.',
};

function CommandResult({ command }: { readonly command: CommandStatus }) {
  return (
    <>
      <CommandState command={command} />
      {command.lines !== undefined && <pre className={classes['commandLines']}>{command.lines.join('\n')}</pre>}
    </>
  );
}

function CommandState({ command }: { readonly command: CommandStatus }) {
  return (
    <p className={classes['commandResult']} data-testid="command-state" data-state={command.state} data-tone={commandTone(command)}>
      {!isFinished(command) && <Loader size={15} aria-hidden />}
      {isFinished(command) &&
        (command.state === 'done' ? <IconCircleCheck size={17} aria-hidden /> : <IconCircleX size={17} aria-hidden />)}
      <span>{commandWords(command)}</span>
    </p>
  );
}

export function CommandsPanel({ device }: { readonly device: DeviceDetail }) {
  const isOperator = useMay('operator');
  const client = useQueryClient();
  const [asked, setAsked] = useState<CommandKind | null>(null);
  const [commandId, setCommandId] = useState<string | null>(null);
  const command = useQuery({ ...commandQuery(device.id, commandId ?? ''), enabled: commandId !== null });
  const request = useMutation({
    mutationFn: (kind: CommandKind) => send('POST', pathOf('devices', device.id, 'commands'), { kind }, CommandStatus),
    onSuccess: (status) => {
      client.setQueryData(queryKeys.command(device.id, status.id), status);
      setCommandId(status.id);
    },
  });
  const kinds = device.capabilities.filter(isCommandKind).filter((kind) => questions[kind] !== undefined);
  if (!isOperator || kinds.length === 0) return null;
  const isBusy = request.isPending || (commandId !== null && command.data !== undefined && !isFinished(command.data));
  const confirm = (): void => {
    if (asked !== null) request.mutate(asked);
    setAsked(null);
  };
  return (
    <Panel title="Commands">
      <Group gap="sm">
        {kinds.map((kind) => (
          <Button
            key={kind}
            variant="default"
            leftSection={<IconRefresh size={16} aria-hidden />}
            disabled={isBusy || device.presence.state === 'offline'}
            onClick={() => setAsked(kind)}
          >
            {commandDefinitions[kind].title}
          </Button>
        ))}
      </Group>
      <div role="status" className={classes['commandStatus']}>
        {request.isError && (
          <p className={classes['commandResult']} data-tone="bad">
            {messageOf(request.error)}
          </p>
        )}
        {!request.isError && command.data !== undefined && commandId !== null && <CommandResult command={command.data} />}
        {device.presence.state === 'offline' && (
          <Text size="sm" className="dim">
            A device that is not connected can do nothing.
          </Text>
        )}
      </div>
      <Modal
        opened={asked !== null}
        onClose={() => setAsked(null)}
        title={asked === null ? '' : `${commandDefinitions[asked].title}?`}
        centered
        size="sm"
      >
        <Stack>
          <Text size="sm">{asked === null ? '' : (questions[asked] ?? '')}</Text>
          <Group justify="flex-end">
            <Button variant="default" onClick={() => setAsked(null)}>
              Cancel
            </Button>
            <Button onClick={confirm} data-autofocus>
              {asked === null ? '' : commandDefinitions[asked].title}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </Panel>
  );
}
