/** The recordings on the device's disk, asked of the device itself, and which of them are kept whatever else needs room. */
import { Button, Group, Table } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import { useIsMutating, useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { DeviceDetail } from '#protocol/model/device.ts';
import type { ListedRecording, RecordingsPage } from '#protocol/recordings.ts';
import { queryKeys } from '../api/query-keys.ts';
import { bytesWords } from '../figures/format.ts';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { useMay } from '../session/person.tsx';
import { dayWords, exactWords } from '../time/words.ts';
import { askDevice } from './ask-device.ts';
import { conditionWords, lengthWords } from './recording-words.ts';
import classes from './recordings-list.module.css';

const shownHashCharacters = 8;

/** One question at a time, in their order: a list that was asked for before a change shows what was so before it. */
const questionsOf = (deviceId: string) => ['recordings', deviceId];

type RowProps = {
  readonly deviceId: string;
  readonly recording: ListedRecording;
  readonly onChanged: (name: string, isProtected: boolean) => void;
};

function Row({ deviceId, recording, onChanged }: RowProps) {
  const client = useQueryClient();
  const { name, format, startedAt, durationMs, bytes, sha256, isProtected } = recording;
  const isBusy = useIsMutating({ mutationKey: questionsOf(deviceId) }) > 0;
  const change = useMutation({
    mutationKey: questionsOf(deviceId),
    scope: { id: `recordings of ${deviceId}` },
    mutationFn: (isWanted: boolean) => askDevice(deviceId, isWanted ? 'protect-recording' : 'release-recording', { name }),
    onSuccess: (_answer, isWanted) => onChanged(name, isWanted),
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.commands(deviceId) }),
  });
  return (
    <Table.Tr data-testid="recording" data-name={name} data-protected={isProtected}>
      <Table.Td>
        <div className={classes['name']}>
          {isProtected && <IconLock size={15} aria-label="Protected" />}
          <span title={exactWords(startedAt)}>{dayWords(startedAt)}</span>
        </div>
        <div className="dim">{`${name}.${format}`}</div>
      </Table.Td>
      <Table.Td className="figure">{lengthWords(durationMs)}</Table.Td>
      <Table.Td className="figure">{bytesWords(bytes)}</Table.Td>
      <Table.Td>
        {conditionWords(recording)}
        {sha256 !== null && (
          <details className={classes['hash']}>
            <summary>{`SHA-256 ${sha256.slice(0, shownHashCharacters)}…`}</summary>
            <code>{sha256}</code>
          </details>
        )}
        {change.isError && <ProblemAlert title={isProtected ? 'Still protected' : 'Not protected'} error={change.error} />}
      </Table.Td>
      <Table.Td>
        <Button
          variant="default"
          size="compact-sm"
          loading={change.isPending}
          disabled={isBusy}
          aria-label={`${isProtected ? 'Unprotect' : 'Protect'} ${name}`}
          onClick={() => change.mutate(!isProtected)}
        >
          {isProtected ? 'Unprotect' : 'Protect'}
        </Button>
      </Table.Td>
    </Table.Tr>
  );
}

type Listed = { readonly recordings: readonly ListedRecording[]; readonly last: RecordingsPage };
type RowsProps = Omit<RowProps, 'recording'> & { readonly listed: Listed };

function Rows({ deviceId, listed, onChanged }: RowsProps) {
  if (listed.recordings.length === 0) return <p className="dim">There is no recording on the device.</p>;
  return (
    <Table.ScrollContainer minWidth={640}>
      <Table verticalSpacing={6} horizontalSpacing="sm" aria-label="Recordings, newest first">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Recorded</Table.Th>
            <Table.Th>Length</Table.Th>
            <Table.Th>Size</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th>Kept</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {listed.recordings.map((recording) => (
            <Row key={recording.name} deviceId={deviceId} recording={recording} onChanged={onChanged} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

export function RecordingsList({ device }: { readonly device: DeviceDetail }) {
  const isOperator = useMay('operator');
  const client = useQueryClient();
  const [listed, setListed] = useState<Listed | null>(null);
  const isBusy = useIsMutating({ mutationKey: questionsOf(device.id) }) > 0;
  const listing = useMutation({
    mutationKey: questionsOf(device.id),
    scope: { id: `recordings of ${device.id}` },
    mutationFn: async (beforeNumber: number | null): Promise<RecordingsPage> => {
      const answer = await askDevice(device.id, 'list-recordings', beforeNumber === null ? {} : { beforeNumber });
      if (answer.recordings === undefined) throw new Error('The device sent no list.');
      return answer.recordings;
    },
    onSuccess: (last, beforeNumber) =>
      setListed((earlier) => ({
        recordings: beforeNumber === null || earlier === null ? last.recordings : [...earlier.recordings, ...last.recordings],
        last,
      })),
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.commands(device.id) }),
  });
  const onChanged = (name: string, isProtected: boolean): void =>
    setListed(
      (before) =>
        before && {
          ...before,
          recordings: before.recordings.map((recording) => (recording.name === name ? { ...recording, isProtected } : recording)),
        },
    );
  if (!isOperator || !device.capabilities.includes('list-recordings')) return null;
  const isAway = device.presence.state !== 'online';
  return (
    <div className={classes['list']}>
      {listed?.last.isDiskAway === true && (
        <p className="dim">The disk for recordings is away or refuses: these are the ones on the device itself, made since then.</p>
      )}
      {listed !== null && <Rows deviceId={device.id} listed={listed} onChanged={onChanged} />}
      <Group gap={8}>
        <Button
          variant="default"
          size="xs"
          loading={listing.isPending && listing.variables === null}
          disabled={isAway || isBusy}
          title={isAway ? 'The device is not connected.' : 'The device is asked for its list.'}
          onClick={() => listing.mutate(null)}
        >
          {listed === null ? 'List recordings' : 'List anew'}
        </Button>
        {listed !== null && listed.last.nextBeforeNumber !== null && (
          <Button
            variant="default"
            size="xs"
            loading={listing.isPending && listing.variables !== null}
            disabled={isAway || isBusy}
            onClick={() => listing.mutate(listed.last.nextBeforeNumber)}
          >
            Show older
          </Button>
        )}
        {listed !== null && <span className="dim">{`${listed.recordings.length} of ${listed.last.total}`}</span>}
      </Group>
      {listing.isError && <ProblemAlert title="The recordings cannot be listed" error={listing.error} />}
    </div>
  );
}
