/** One roll-out: its waves, its devices, and what can be done with it. */
import { Anchor, Badge, Button, Group, Progress, Skeleton, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { RolloutDetail } from '#protocol/model/rollout.ts';
import { ApiProblem, type FieldProblem, pathOf, send } from '../api/api.ts';
import { rolloutQuery } from '../api/queries.ts';
import { queryKeys } from '../api/query-keys.ts';
import { Panel } from '../device/panel.tsx';
import { Confirm } from '../layout/confirm.tsx';
import { PageHeading } from '../layout/page-heading.tsx';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { useTitle } from '../layout/use-title.ts';
import { useMay } from '../session/person.tsx';
import { ChangeLine } from '../settings/change-words.tsx';
import { Ago, For } from '../time/times.tsx';
import {
  leftOutWords,
  overrideWords,
  planWords,
  rollBackWords,
  rolloutDeviceWords,
  rolloutWords,
  scopeWords,
  waveShares,
  waveTitle,
} from './rollout-words.ts';

type Order = 'halt' | 'resume' | 'roll-back';

export function RolloutPage({ id }: { readonly id: string }) {
  const rollout = useQuery(rolloutQuery(id));
  useTitle('Roll-out');
  if (rollout.data === undefined) {
    return rollout.isError ? (
      <ProblemAlert title="The roll-out cannot be read" error={rollout.error} onRetry={() => void rollout.refetch()} />
    ) : (
      <Skeleton h={420} radius="lg" />
    );
  }
  const { data } = rollout;
  const { title, color } = rolloutWords[data.state];
  return (
    <>
      <PageHeading title={`Roll-out to ${scopeWords(data)}`} words={data.comment ?? planWords(data.plan)}>
        <Badge color={color} size="lg" tt="none" data-testid="rollout-state" data-state={data.state}>
          {title}
        </Badge>
      </PageHeading>
      <Stack>
        {data.reason !== null && <Text fw={600}>{data.reason}</Text>}
        <Orders rollout={data} />
        <Counts rollout={data} />
        <Panel title="Change">
          {data.changes.map((change) => (
            <ChangeLine key={change.key} change={change} />
          ))}
          <Text size="sm" className="dim" mt="xs">
            {`By ${data.createdBy} `}
            <Ago at={data.createdAt} />
            {data.comment === null ? '.' : `. ${planWords(data.plan)}`}
          </Text>
        </Panel>
        {data.waves.map((_, index) => (
          <Wave key={waveTitle(index, data.waves.length, data.plan)} rollout={data} index={index} />
        ))}
      </Stack>
    </>
  );
}

function Orders({ rollout }: { readonly rollout: RolloutDetail }) {
  const { id, state, revision } = rollout;
  const client = useQueryClient();
  const canEdit = useMay('operator');
  const [isAsked, setAsked] = useState(false);
  const [changedSince, setChangedSince] = useState<readonly FieldProblem[] | null>(null);
  const give = async (what: Order, body?: object): Promise<void> => {
    client.setQueryData(queryKeys.rollout(id), await send('POST', pathOf('rollouts', id, what), body, RolloutDetail));
  };
  const rollBack = async (): Promise<void> => {
    try {
      await give('roll-back');
    } catch (cause) {
      if (!(cause instanceof ApiProblem) || cause.code !== 'changed-since') throw cause;
      setChangedSince(cause.problems);
    }
  };
  const order = useMutation({ mutationFn: give });
  const canRollBack = state === 'running' || state === 'halted' || (state === 'completed' && revision !== null);
  if (!canEdit) return null;
  return (
    <div>
      <Group gap="sm">
        {state === 'running' && (
          <Button variant="default" loading={order.isPending} onClick={() => order.mutate('halt')}>
            Halt
          </Button>
        )}
        {state === 'halted' && (
          <Button loading={order.isPending} onClick={() => order.mutate('resume')}>
            Go on nevertheless
          </Button>
        )}
        {canRollBack && (
          <Button color="red" variant="light" disabled={order.isPending} onClick={() => setAsked(true)}>
            Roll back
          </Button>
        )}
      </Group>
      {order.isError && <ProblemAlert title="Not done" error={order.error} />}
      {isAsked && (
        <Confirm
          title="Roll this change back?"
          words={rollBackWords(rollout)}
          action="Roll back"
          problemTitle="Not rolled back"
          act={rollBack}
          onClose={() => setAsked(false)}
        />
      )}
      {changedSince !== null && (
        <Confirm
          title="Roll back what was changed since, too?"
          words={overrideWords(changedSince)}
          action="Roll back nevertheless"
          problemTitle="Not rolled back"
          act={() => give('roll-back', { override: true })}
          onClose={() => setChangedSince(null)}
        />
      )}
    </div>
  );
}

function Counts({ rollout }: { readonly rollout: RolloutDetail }) {
  const leftOut = leftOutWords(rollout);
  return (
    <div>
      <Group gap="xs" data-testid="rollout-counts">
        {rollout.deviceCounts.map(({ state, count }) => (
          <Badge key={state} variant="light" tt="none" color={rolloutDeviceWords[state].color}>
            {`${count}: ${rolloutDeviceWords[state].title}`}
          </Badge>
        ))}
      </Group>
      {leftOut !== null && (
        <Text size="sm" className="dim" mt="xs">
          {leftOut}
        </Text>
      )}
    </div>
  );
}

function Wave({ rollout, index }: { readonly rollout: RolloutDetail; readonly index: number }) {
  const wave = rollout.waves[index];
  if (wave === undefined) return null;
  const shares = waveShares(wave);
  const words = [
    `${wave.steadyCount} of ${wave.deviceCount} well`,
    ...(wave.underWayCount > 0 ? [`${wave.underWayCount} under way`] : []),
    ...(wave.absentCount > 0 ? [`${wave.absentCount} offline`] : []),
    ...(wave.failedCount > 0 ? [`${wave.failedCount} failed`] : []),
  ].join(', ');
  return (
    <Panel title={waveTitle(index, rollout.waves.length, rollout.plan)} aside={<span className="figure">{words}</span>}>
      <Progress.Root size="lg" mb="sm" aria-label={words}>
        <Progress.Section value={shares.steady} color="teal" />
        <Progress.Section value={shares.underWay} color="indigo" />
        <Progress.Section value={shares.failed} color="red" />
        <Progress.Section value={shares.absent} color="gray" />
      </Progress.Root>
      <Stack gap={6}>
        {rollout.devices
          .filter((device) => device.wave === index)
          .map(({ id, name, state, since, reason }) => (
            <Group key={id} justify="space-between" gap="xs">
              <Anchor component={Link} href={pathOf('devices', id)}>
                {name}
              </Anchor>
              <Group gap="xs">
                {reason !== null && <Text size="sm">{reason}</Text>}
                <Badge variant="light" tt="none" color={rolloutDeviceWords[state].color}>
                  {rolloutDeviceWords[state].title}
                </Badge>
                {state !== 'waiting' && (
                  <Text size="sm" className="dim">
                    <For since={since} />
                  </Text>
                )}
              </Group>
            </Group>
          ))}
      </Stack>
    </Panel>
  );
}
