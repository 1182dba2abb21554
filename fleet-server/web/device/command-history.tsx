/** What was asked of the device, newest first, and what became of it. */
import { Button, Loader } from '@mantine/core';
import { IconCircleCheck, IconCircleMinus, IconCircleX, IconClockHour4 } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { CommandStatus } from '#protocol/model/command.ts';
import { pathOf, send } from '../api/api.ts';
import { isFinished } from '../api/queries.ts';
import { queryKeys } from '../api/query-keys.ts';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { useMay } from '../session/person.tsx';
import { Ago } from '../time/times.tsx';
import { clockWords, dayWords } from '../time/words.ts';
import { commandTitle, commandTone, sentWords, waitingWords } from './command-words.ts';
import classes from './commands.module.css';

const shownAtFirst = 4;

function StateIcon({ command }: { readonly command: CommandStatus }) {
  if (command.state === 'waiting') return <IconClockHour4 size={17} aria-hidden />;
  if (!isFinished(command)) return <Loader size={15} aria-hidden />;
  if (command.state === 'withdrawn') return <IconCircleMinus size={17} aria-hidden />;
  return command.state === 'done' ? <IconCircleCheck size={17} aria-hidden /> : <IconCircleX size={17} aria-hidden />;
}

type AskedOf = { readonly deviceId: string; readonly command: CommandStatus };

/** Only what the device has not been sent can be taken back. */
function Withdraw({ deviceId, command }: AskedOf) {
  const client = useQueryClient();
  const withdrawal = useMutation({
    mutationFn: () => send('POST', pathOf('devices', deviceId, 'commands', command.id, 'withdraw'), undefined, CommandStatus),
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.commands(deviceId) }),
  });
  return (
    <>
      <Button
        variant="default"
        size="compact-xs"
        mt={4}
        aria-label={`Take back: ${commandTitle(command.kind)}`}
        loading={withdrawal.isPending}
        onClick={() => withdrawal.mutate()}
      >
        Take back
      </Button>
      {withdrawal.isError && <ProblemAlert title="Not taken back" error={withdrawal.error} />}
    </>
  );
}

/** A report of many lines is opened by who wants to read it. */
function Lines({ lines }: { readonly lines: readonly string[] }) {
  return (
    <details className={classes['lines']}>
      <summary>What it found</summary>
      <pre>{lines.join('\n')}</pre>
    </details>
  );
}

function Entry({ deviceId, command }: AskedOf) {
  const isOperator = useMay('operator');
  return (
    <li data-testid="command" data-kind={command.kind} data-state={command.state}>
      <span className={classes['sign']} data-tone={commandTone(command)}>
        <StateIcon command={command} />
      </span>
      <div>
        <div className={classes['title']}>
          <strong>{commandTitle(command.kind)}</strong>
          <span className="dim">
            <Ago at={command.requestedAt} />
          </span>
        </div>
        <p data-tone={commandTone(command)}>
          {command.state === 'waiting' ? waitingWords(command, dayWords) : sentWords(command, clockWords)}
        </p>
        <p className="dim">by {command.requestedBy}</p>
        {command.state === 'waiting' && isOperator && <Withdraw deviceId={deviceId} command={command} />}
        {command.lines !== undefined && <Lines lines={command.lines} />}
      </div>
    </li>
  );
}

type CommandHistoryProps = { readonly deviceId: string; readonly commands: readonly CommandStatus[] };

export function CommandHistory({ deviceId, commands }: CommandHistoryProps) {
  const [isLong, setLong] = useState(false);
  if (commands.length === 0) return <p className={classes['none']}>Nothing has been asked of it yet.</p>;
  return (
    <>
      <ol className={`plain-list ${classes['history']}`} aria-label="Commands, newest first">
        {(isLong ? commands : commands.slice(0, shownAtFirst)).map((command) => (
          <Entry key={command.id} deviceId={deviceId} command={command} />
        ))}
      </ol>
      {!isLong && commands.length > shownAtFirst && (
        <Button variant="subtle" size="compact-sm" mt="xs" onClick={() => setLong(true)}>
          {`Show ${commands.length - shownAtFirst} more`}
        </Button>
      )}
    </>
  );
}
