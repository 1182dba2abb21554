/** The newest roll-outs, to follow one. */
import { Badge, Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { rolloutsQuery } from '../api/queries.ts';
import { Panel } from '../device/panel.tsx';
import { Ago } from '../time/times.tsx';
import { rolloutWords, scopeWords } from './rollout-words.ts';

export function RolloutsPanel() {
  const { data } = useQuery(rolloutsQuery);
  if (data === undefined || data.rollouts.length === 0) return null;
  return (
    <Panel title="Roll-outs">
      <Stack gap={6}>
        {data.rollouts.map((rollout) => (
          <Group key={rollout.id} justify="space-between" gap="xs">
            <Link href={`/rollouts/${rollout.id}`}>{`${rollout.changes.map(({ key }) => key).join(', ')} for ${scopeWords(rollout)}`}</Link>
            <Group gap="xs">
              <Text size="sm" className="dim">
                <Ago at={rollout.createdAt} />
              </Text>
              <Badge variant="light" tt="none" color={rolloutWords[rollout.state].color}>
                {rolloutWords[rollout.state].title}
              </Badge>
            </Group>
          </Group>
        ))}
      </Stack>
    </Panel>
  );
}
