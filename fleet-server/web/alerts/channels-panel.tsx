/** Who is told of alerts, and how: each can be tried at once. */
import { ActionIcon, Badge, Button, Menu, Skeleton, Text } from '@mantine/core';
import { IconDots, IconPencil, IconPlus, IconSend, IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { AlertChannel } from '#protocol/model/alert.ts';
import { act, messageOf, pathOf, remove } from '../api/api.ts';
import { alertChannelsQuery } from '../api/queries.ts';
import { queryKeys } from '../api/query-keys.ts';
import { Confirm } from '../layout/confirm.tsx';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import rows from '../layout/rows.module.css';
import { Ago } from '../time/times.tsx';
import classes from './alerts.module.css';
import { kindWords, targetWords } from './channel-draft.ts';
import { ChannelForm } from './channel-form.tsx';

/** A mail server is given ten seconds for each of its steps. */
const testPatienceMs = 45_000;

function LastAttempt({ attempt }: { readonly attempt: AlertChannel['lastAttempt'] }) {
  if (attempt === null) return <p className={rows['words']}>Nothing has been told there yet.</p>;
  if (attempt.problem === null) {
    return (
      <p className={rows['words']}>
        Last told <Ago at={attempt.at} />
      </p>
    );
  }
  return (
    <p className={rows['problem']}>
      Not told <Ago at={attempt.at} />: {attempt.problem}
    </p>
  );
}

type RowProps = { readonly channel: AlertChannel; readonly onEdit: () => void; readonly onRemove: () => void };

function ChannelRow({ channel, onEdit, onRemove }: RowProps) {
  const client = useQueryClient();
  const test = useMutation({
    mutationFn: () => act(`${pathOf('alert-channels', channel.id)}/test`, { patienceMs: testPatienceMs }),
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.alertChannels }),
  });
  return (
    <li className={`${rows['row']} ${rows['wraps']}`} data-testid="channel-row">
      <div className={rows['main']}>
        <h3 className={rows['title']}>
          {channel.name}
          <Badge variant="light" color="gray" tt="none">
            {kindWords[channel.target.kind]}
          </Badge>
        </h3>
        <p className={rows['words']}>{targetWords(channel.target)}</p>
        {!test.isError && <LastAttempt attempt={channel.lastAttempt} />}
        <div role="status">
          {test.isSuccess && (
            <p className={rows['success']} data-testid="test-result" data-kind="told">
              The test was taken: look whether it is there.
            </p>
          )}
          {test.isError && (
            <p className={rows['problem']} data-testid="test-result" data-kind="not-told">
              {messageOf(test.error)}
            </p>
          )}
        </div>
      </div>
      <div className={rows['actions']}>
        <Button
          size="compact-md"
          variant="default"
          leftSection={<IconSend size={15} aria-hidden />}
          loading={test.isPending}
          onClick={() => test.mutate()}
          aria-label={`Send a test to ${channel.name}`}
        >
          Send a test
        </Button>
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Change or remove ${channel.name}`}>
              <IconDots size={19} aria-hidden />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={onEdit}>
              Change
            </Menu.Item>
            <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={onRemove}>
              Remove
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </div>
    </li>
  );
}

type OpenDialog =
  | { readonly kind: 'add' }
  | { readonly kind: 'edit'; readonly channel: AlertChannel }
  | { readonly kind: 'remove'; readonly channel: AlertChannel };

function ChannelDialog({ dialog, onClose }: { readonly dialog: OpenDialog; readonly onClose: () => void }) {
  const client = useQueryClient();
  if (dialog.kind !== 'remove') return <ChannelForm channel={dialog.kind === 'edit' ? dialog.channel : null} onClose={onClose} />;
  const { id, name } = dialog.channel;
  return (
    <Confirm
      title={`Remove ${name}?`}
      words="Nothing is told there any more. Rules that name it stay, without it."
      action="Remove"
      problemTitle="Not removed"
      act={async () => {
        await remove(pathOf('alert-channels', id));
        await client.invalidateQueries({ queryKey: queryKeys.alertChannels });
      }}
      onClose={onClose}
    />
  );
}

export function ChannelsPanel() {
  const channels = useQuery(alertChannelsQuery);
  const [dialog, setDialog] = useState<OpenDialog | null>(null);
  const list = channels.data?.channels ?? [];
  return (
    <>
      <div className={classes['tools']}>
        <Text className="dim" size="sm" maw={640}>
          A channel is a way to tell somebody. Which alerts it tells is said in the rules.
        </Text>
        <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setDialog({ kind: 'add' })}>
          Add a channel
        </Button>
      </div>
      {channels.data === undefined && channels.isPending && <Skeleton h={160} radius="lg" aria-label="Loading" />}
      {channels.data === undefined && channels.isError && (
        <ProblemAlert title="The channels cannot be read" error={channels.error} onRetry={() => void channels.refetch()} />
      )}
      {channels.data !== undefined && list.length === 0 && (
        <p className="panel">There is no channel yet: alerts are shown here, and nobody is told of them.</p>
      )}
      {list.length > 0 && (
        <ul className={`panel plain-list ${rows['rows']}`} aria-label="Channels">
          {list.map((channel) => (
            <ChannelRow
              key={channel.id}
              channel={channel}
              onEdit={() => setDialog({ kind: 'edit', channel })}
              onRemove={() => setDialog({ kind: 'remove', channel })}
            />
          ))}
        </ul>
      )}
      {dialog !== null && <ChannelDialog dialog={dialog} onClose={() => setDialog(null)} />}
    </>
  );
}
