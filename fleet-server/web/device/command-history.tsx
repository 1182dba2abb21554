/** What was asked of the device, newest first, and what became of it. */
import { Button, Loader } from '@mantine/core';
import { IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import { useState } from 'react';
import type { CommandStatus } from '#protocol/model/command.ts';
import { isFinished } from '../api/queries.ts';
import { Ago } from '../time/times.tsx';
import { commandEnding, commandTitle, commandTone } from './command-words.ts';
import classes from './commands.module.css';

const shownAtFirst = 4;

function StateIcon({ command }: { readonly command: CommandStatus }) {
  if (!isFinished(command)) return <Loader size={15} aria-hidden />;
  return command.state === 'done' ? <IconCircleCheck size={17} aria-hidden /> : <IconCircleX size={17} aria-hidden />;
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

function Entry({ command }: { readonly command: CommandStatus }) {
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
        <p data-tone={commandTone(command)}>{commandEnding(command)}</p>
        <p className="dim">by {command.requestedBy}</p>
        {command.lines !== undefined && <Lines lines={command.lines} />}
      </div>
    </li>
  );
}

export function CommandHistory({ commands }: { readonly commands: readonly CommandStatus[] }) {
  const [isLong, setLong] = useState(false);
  if (commands.length === 0) return <p className={classes['none']}>Nothing has been asked of it yet.</p>;
  return (
    <>
      <ol className={`plain-list ${classes['history']}`} aria-label="Commands, newest first">
        {(isLong ? commands : commands.slice(0, shownAtFirst)).map((command) => (
          <Entry key={command.id} command={command} />
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
