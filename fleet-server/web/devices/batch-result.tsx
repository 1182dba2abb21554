/** How far a command to several devices is, and with which of them it did not work. */
import { Button, Group, Modal, Progress, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { BatchStatus } from '#protocol/model/command.ts';
import { batchQuery } from '../api/queries.ts';
import { commandTitle, sentWords } from '../device/command-words.ts';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { clockWords } from '../time/words.ts';
import { batchWords, notDone } from './batch-words.ts';
import classes from './selection.module.css';

/** The rest is in each device's own list. */
const shownAtOnce = 50;

type BatchResultProps = {
  readonly first: BatchStatus;
  readonly names: ReadonlyMap<string, string>;
  readonly onClose: () => void;
};

export function BatchResult({ first, names, onClose }: BatchResultProps) {
  const batch = useQuery({ ...batchQuery(first.id), initialData: first });
  const { kind, progress } = batch.data;
  const left = notDone(batch.data);
  const share = (count: number): number => (progress.total === 0 ? 0 : (count * 100) / progress.total);
  const words = batchWords(progress);
  return (
    <Modal opened onClose={onClose} title={commandTitle(kind)} centered>
      <Stack data-testid="batch" data-open={progress.open}>
        <Text fw={600} role="status">
          {words}
        </Text>
        <Progress.Root size="lg" aria-label={words}>
          <Progress.Section value={share(progress.done)} color="teal" />
          <Progress.Section value={share(progress.notDone)} color="red" />
          <Progress.Section value={share(progress.begun)} color="yellow" animated />
        </Progress.Root>
        {batch.isError && <ProblemAlert title="How far it is cannot be read" error={batch.error} />}
        <ul className={`plain-list ${classes['left']}`}>
          {left.slice(0, shownAtOnce).map((command) => (
            <li key={command.deviceId}>
              <strong>{names.get(command.deviceId) ?? command.deviceId}</strong>{' '}
              <span className="dim">{sentWords(command, clockWords)}</span>
            </li>
          ))}
        </ul>
        {left.length > shownAtOnce && <Text size="sm" className="dim">{`And ${left.length - shownAtOnce} more.`}</Text>}
        <Group justify="flex-end">
          <Button onClick={onClose}>Close</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
