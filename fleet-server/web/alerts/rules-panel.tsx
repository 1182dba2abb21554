/** What is watched for, and whom it concerns. */
import { ActionIcon, Badge, Button, Menu, Skeleton, Switch, Text } from '@mantine/core';
import { IconDots, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { type AlertChannel, AlertRule } from '#protocol/model/alert.ts';
import { messageOf, pathOf, remove, send } from '../api/api.ts';
import { alertChannelsQuery, alertRulesQuery } from '../api/queries.ts';
import { queryKeys } from '../api/query-keys.ts';
import { Confirm } from '../layout/confirm.tsx';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import rows from '../layout/rows.module.css';
import classes from './alerts.module.css';
import { switched } from './rule-draft.ts';
import { RuleForm } from './rule-form.tsx';
import { ruleWords, severityWords } from './rule-words.ts';

const severityColors = { critical: 'red', warning: 'orange', info: 'gray' } as const satisfies Record<AlertRule['severity'], string>;

type RowProps = {
  readonly rule: AlertRule;
  readonly channels: readonly AlertChannel[];
  readonly onEdit: () => void;
  readonly onRemove: () => void;
};

function RuleRow({ rule, channels, onEdit, onRemove }: RowProps) {
  const client = useQueryClient();
  const ids = channels.map(({ id }) => id);
  const toggle = useMutation({
    mutationFn: (enabled: boolean) => send('PUT', pathOf('alert-rules', rule.id), switched(rule, enabled, ids), AlertRule),
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.alertRules }),
  });
  return (
    <li className={rows['row']} data-testid="rule-row">
      <div className={rows['main']}>
        <h3 className={rows['title']}>
          {rule.name}
          <Badge variant="light" color={severityColors[rule.severity]} tt="none">
            {severityWords[rule.severity]}
          </Badge>
          {!rule.enabled && <span className="dim">off</span>}
        </h3>
        <p className={rows['words']}>{ruleWords(rule, channels)}</p>
        {toggle.isError && (
          <p role="alert" className={rows['problem']}>
            {messageOf(toggle.error)}
          </p>
        )}
      </div>
      <div className={rows['actions']}>
        <Switch
          aria-label={`${rule.name}: on`}
          checked={toggle.isPending ? toggle.variables : rule.enabled}
          disabled={toggle.isPending}
          onChange={(event) => toggle.mutate(event.currentTarget.checked)}
        />
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Change or remove ${rule.name}`}>
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
  | { readonly kind: 'edit'; readonly rule: AlertRule }
  | { readonly kind: 'remove'; readonly rule: AlertRule };

type DialogProps = { readonly dialog: OpenDialog; readonly channels: readonly AlertChannel[]; readonly onClose: () => void };

function RuleDialog({ dialog, channels, onClose }: DialogProps) {
  const client = useQueryClient();
  if (dialog.kind !== 'remove')
    return <RuleForm rule={dialog.kind === 'edit' ? dialog.rule : null} channels={channels} onClose={onClose} />;
  const { id, name } = dialog.rule;
  return (
    <Confirm
      title={`Remove “${name}”?`}
      words="Nobody is told of it any more, and its open alerts are over."
      action="Remove"
      problemTitle="Not removed"
      act={async () => {
        await remove(pathOf('alert-rules', id));
        await client.invalidateQueries({ queryKey: queryKeys.alertRules });
      }}
      onClose={onClose}
    />
  );
}

export function RulesPanel() {
  const rules = useQuery(alertRulesQuery);
  const channels = useQuery(alertChannelsQuery);
  const [dialog, setDialog] = useState<OpenDialog | null>(null);
  const known = channels.data?.channels;
  const error = rules.error ?? channels.error;
  const isRead = rules.data !== undefined && known !== undefined;
  return (
    <>
      <div className={classes['tools']}>
        <Text className="dim" size="sm" maw={640}>
          A rule says what is worth an alert, and whom it concerns. One cause is one alert; who was told of it is told when it is over.
        </Text>
        <Button leftSection={<IconPlus size={16} aria-hidden />} disabled={known === undefined} onClick={() => setDialog({ kind: 'add' })}>
          Add a rule
        </Button>
      </div>
      {!isRead && error === null && <Skeleton h={220} radius="lg" aria-label="Loading" />}
      {!isRead && error !== null && (
        <ProblemAlert
          title="The rules cannot be read"
          error={error}
          onRetry={() => {
            void rules.refetch();
            void channels.refetch();
          }}
        />
      )}
      {isRead && rules.data.rules.length === 0 && <p className="panel">There is no rule: nothing raises an alert.</p>}
      {isRead && rules.data.rules.length > 0 && (
        <ul className={`panel plain-list ${rows['rows']}`} aria-label="Rules">
          {rules.data.rules.map((rule) => (
            <RuleRow
              key={rule.id}
              rule={rule}
              channels={known}
              onEdit={() => setDialog({ kind: 'edit', rule })}
              onRemove={() => setDialog({ kind: 'remove', rule })}
            />
          ))}
        </ul>
      )}
      {dialog !== null && known !== undefined && <RuleDialog dialog={dialog} channels={known} onClose={() => setDialog(null)} />}
    </>
  );
}
