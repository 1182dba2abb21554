/** Plans a maintenance window, or changes one. */
import { Chip, Group, Input, Modal, NativeSelect, SegmentedControl, Stack, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { MaintenanceWindow, weekdays } from '#protocol/model/maintenance.ts';
import { pathOf, send } from '../api/api.ts';
import { groupsQuery } from '../api/queries.ts';
import { queryKeys } from '../api/query-keys.ts';
import { serverNowMs } from '../api/server-clock.ts';
import { SaveFooter } from '../layout/save-footer.tsx';
import { HoursFields } from '../time/hours-fields.tsx';
import { DeviceSelect } from './device-select.tsx';
import classes from './maintenance.module.css';
import { type MaintenanceDraft, maxReasonLength, problemsOf, requestOf } from './maintenance-draft.ts';
import { dayNames } from './maintenance-words.ts';

type FieldsProps = {
  readonly draft: MaintenanceDraft;
  readonly problems: ReturnType<typeof problemsOf>;
  readonly onChange: (change: Partial<MaintenanceDraft>) => void;
};

const scopes = [
  { value: 'fleet', label: 'Fleet' },
  { value: 'group', label: 'Group' },
  { value: 'device', label: 'Device' },
] as const satisfies readonly { value: MaintenanceDraft['scope']; label: string }[];
const kinds = [
  { value: 'once', label: 'Once' },
  { value: 'weekly', label: 'Each week' },
] as const satisfies readonly { value: MaintenanceDraft['kind']; label: string }[];

function ScopeFields({ draft, problems, onChange }: FieldsProps) {
  const groups = useQuery(groupsQuery);
  const names = new Set([...(groups.data?.groups ?? []).map(({ name }) => name), ...(draft.group === '' ? [] : [draft.group])]);
  return (
    <>
      <Input.Wrapper label="For" labelElement="div">
        <SegmentedControl
          fullWidth
          aria-label="For"
          data={[...scopes]}
          value={draft.scope}
          onChange={(scope) => onChange({ scope })}
          mt={4}
        />
      </Input.Wrapper>
      {draft.scope === 'group' && (
        <NativeSelect
          label="Group"
          data={[{ value: '', label: 'Choose a group' }, ...[...names].toSorted().map((name) => ({ value: name, label: name }))]}
          value={draft.group}
          error={problems.group}
          onChange={(event) => onChange({ group: event.currentTarget.value })}
        />
      )}
      {draft.scope === 'device' && (
        <DeviceSelect value={draft.deviceId} error={problems.deviceId} onChange={(deviceId) => onChange({ deviceId })} />
      )}
    </>
  );
}

function OnceFields({ draft, problems, onChange }: FieldsProps) {
  return (
    <div className={classes['moments']}>
      <TextInput
        type="datetime-local"
        label="From"
        value={draft.onceFrom}
        onChange={(event) => onChange({ onceFrom: event.currentTarget.value })}
      />
      <TextInput
        type="datetime-local"
        label="To"
        value={draft.onceTo}
        error={problems.onceTo}
        onChange={(event) => onChange({ onceTo: event.currentTarget.value })}
      />
    </div>
  );
}

function WeeklyFields({ draft, problems, onChange }: FieldsProps) {
  return (
    <>
      <Input.Wrapper label="Begins on" labelElement="div" error={problems.days}>
        <Chip.Group multiple value={[...draft.days]} onChange={(days) => onChange({ days: weekdays.filter((day) => days.includes(day)) })}>
          <Group gap={6} mt={4} mb={4}>
            {weekdays.map((day) => (
              <Chip key={day} value={day} size="xs">
                {dayNames[day]}
              </Chip>
            ))}
          </Group>
        </Chip.Group>
      </Input.Wrapper>
      <div className={classes['pair']}>
        <HoursFields hours={draft} problems={problems} onChange={onChange} />
      </div>
    </>
  );
}

type MaintenanceFormProps = {
  /** Null: a new one. */
  readonly windowId: string | null;
  readonly first: MaintenanceDraft;
  readonly onClose: () => void;
};

/** Drawn only while it is open. */
export function MaintenanceForm({ windowId, first, onClose }: MaintenanceFormProps) {
  const client = useQueryClient();
  const [draft, setDraft] = useState(first);
  const [wasSent, setSent] = useState(false);
  const problems = problemsOf(draft, serverNowMs());
  const shown = wasSent ? problems : {};
  const save = useMutation({
    mutationFn: () =>
      windowId === null
        ? send('POST', '/maintenance-windows', requestOf(draft), MaintenanceWindow)
        : send('PUT', pathOf('maintenance-windows', windowId), requestOf(draft), MaintenanceWindow),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: queryKeys.maintenance });
      onClose();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setSent(true);
    if (Object.keys(problems).length === 0) save.mutate();
  };
  const fields = { draft, problems: shown, onChange: (change: Partial<MaintenanceDraft>) => setDraft({ ...draft, ...change }) };
  return (
    <Modal opened onClose={onClose} title={windowId === null ? 'Plan a maintenance window' : 'Change the maintenance window'} centered>
      <form onSubmit={submit} noValidate>
        <Stack>
          <ScopeFields {...fields} />
          <TextInput
            label="Reason"
            placeholder="Such as: the hall is rebuilt"
            maxLength={maxReasonLength}
            value={draft.reason}
            error={shown.reason}
            onChange={(event) => setDraft({ ...draft, reason: event.currentTarget.value })}
          />
          <SegmentedControl
            fullWidth
            aria-label="How often"
            data={[...kinds]}
            value={draft.kind}
            onChange={(kind) => setDraft({ ...draft, kind })}
          />
          {draft.kind === 'once' ? <OnceFields {...fields} /> : <WeeklyFields {...fields} />}
          <SaveFooter save={save} onClose={onClose} />
        </Stack>
      </form>
    </Modal>
  );
}
