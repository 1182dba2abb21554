/** Health problems, worst first; a press shows what to do. */
import { Group, Popover, Stack, Text, UnstyledButton } from '@mantine/core';
import { IconAlertTriangle, IconCircleX, IconInfoCircle } from '@tabler/icons-react';
import type { Condition } from '#protocol/conditions.ts';
import { Ago } from '../time/times.tsx';
import { type ShownCondition, shownConditions } from './conditions.ts';
import classes from './status.module.css';
import type { Tone } from './stream-words.ts';

const tones = { critical: 'bad', warning: 'warn', info: 'quiet' } as const satisfies Record<ShownCondition['severity'], Tone>;

export function SeverityIcon({ severity, size = 14 }: { readonly severity: ShownCondition['severity']; readonly size?: number }) {
  if (severity === 'critical') return <IconCircleX size={size} aria-hidden />;
  if (severity === 'warning') return <IconAlertTriangle size={size} aria-hidden />;
  return <IconInfoCircle size={size} aria-hidden />;
}

export function toneOf(severity: ShownCondition['severity']): Tone {
  return tones[severity];
}

function ConditionChip({ condition }: { readonly condition: ShownCondition }) {
  return (
    <Popover width={300} position="bottom-start" shadow="md" withArrow>
      <Popover.Target>
        <UnstyledButton className={classes['chip']} data-tone={toneOf(condition.severity)} data-condition={condition.code}>
          <SeverityIcon severity={condition.severity} />
          {condition.title}
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap={6}>
          <Text size="sm" fw={600}>
            {condition.title}
          </Text>
          {condition.detail !== undefined && condition.detail !== '' && <Text size="sm">{condition.detail}</Text>}
          <Text size="sm" className="dim">
            {condition.advice}
          </Text>
          <Text size="xs" className="dim">
            Since <Ago at={condition.since} />
          </Text>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

export function ConditionChips({ conditions, limit }: { readonly conditions: readonly Condition[]; readonly limit: number }) {
  const shown = shownConditions(conditions);
  if (shown.length === 0) return null;
  return (
    <Group gap={6} role="group" aria-label="Conditions">
      {shown.slice(0, limit).map((condition) => (
        <ConditionChip key={condition.code} condition={condition} />
      ))}
      {shown.length > limit && (
        <Text size="xs" className="dim">
          {`+${shown.length - limit} more`}
        </Text>
      )}
    </Group>
  );
}
