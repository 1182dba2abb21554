/** The parts of a rule's form: what raises it, who is told, when not, and who is told later. */
import { Input, MultiSelect, NativeSelect, SegmentedControl, Switch, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { conditionDefinitions } from '#protocol/conditions.ts';
import type { AlertChannel, AlertSeverity } from '#protocol/model/alert.ts';
import { groupsQuery } from '../api/queries.ts';
import { HoursFields } from '../time/hours-fields.tsx';
import classes from './alerts.module.css';
import { isAboutFleet, type RuleDraft, type RuleField } from './rule-draft.ts';
import { severityWords } from './rule-words.ts';

export type RuleFieldsProps = {
  readonly draft: RuleDraft;
  readonly problems: { readonly [F in RuleField]?: string };
  readonly channels: readonly AlertChannel[];
  readonly onChange: (change: Partial<RuleDraft>) => void;
};

const triggers = [
  { value: 'offline', label: 'A device is offline' },
  { value: 'condition', label: 'A device reports a condition' },
  { value: 'relay-down', label: 'The relay is down' },
  { value: 'broker-down', label: 'The MQTT broker is down' },
] as const satisfies readonly { value: RuleDraft['kind']; label: string }[];

const severities = (['info', 'warning', 'critical'] as const satisfies readonly AlertSeverity[]).map((value) => ({
  value,
  label: severityWords[value],
}));
const atLeastChoices = [
  { value: 'critical', label: 'Critical ones' },
  { value: 'warning', label: 'Warnings and critical ones' },
  { value: 'info', label: 'Any' },
] as const satisfies readonly { value: AlertSeverity; label: string }[];
const conditionChoices = Object.entries(conditionDefinitions)
  .map(([value, { title }]) => ({ value, label: title }))
  .sort((a, b) => a.label.localeCompare(b.label));

const channelChoices = (channels: readonly AlertChannel[]) => channels.map(({ id, name }) => ({ value: id, label: name }));

function ConditionFields({ draft, problems, onChange }: RuleFieldsProps) {
  return (
    <div className={classes['inset']}>
      <NativeSelect
        label="Which conditions"
        data={atLeastChoices}
        value={draft.atLeast}
        disabled={draft.conditions.length > 0}
        description={draft.conditions.length > 0 ? 'Those that are chosen below, and no others.' : undefined}
        onChange={({ currentTarget: { value } }) =>
          onChange({ atLeast: severities.find((known) => known.value === value)?.value ?? 'critical' })
        }
        mb="sm"
      />
      <MultiSelect
        label="Only these (optional)"
        placeholder={draft.conditions.length === 0 ? 'Choose conditions' : ''}
        data={conditionChoices}
        value={[...draft.conditions]}
        error={problems.conditions}
        onChange={(conditions) => onChange({ conditions })}
        searchable
        clearable
        hidePickedOptions
        nothingFoundMessage="No such condition"
      />
    </div>
  );
}

function GroupField({ draft, problems, onChange }: RuleFieldsProps) {
  const known = useQuery(groupsQuery);
  const groups = new Set((known.data?.groups ?? []).map(({ name }) => name));
  if (draft.group !== '') groups.add(draft.group);
  return (
    <NativeSelect
      label="Devices"
      data={[{ value: '', label: 'All' }, ...[...groups].sort().map((group) => ({ value: group, label: `Of the group ${group}` }))]}
      value={draft.group}
      error={problems.group}
      onChange={(event) => onChange({ group: event.currentTarget.value })}
    />
  );
}

export function TriggerFields(props: RuleFieldsProps) {
  const { draft, problems, onChange } = props;
  return (
    <>
      <div>
        <NativeSelect
          label="When"
          data={triggers}
          value={draft.kind}
          onChange={({ currentTarget: { value } }) =>
            onChange({ kind: triggers.find((known) => known.value === value)?.value ?? 'offline' })
          }
        />
        {draft.kind === 'condition' && <ConditionFields {...props} />}
      </div>
      <div className={classes['pair']}>
        <TextInput
          label="For at least"
          rightSection="s"
          inputMode="numeric"
          maxLength={6}
          value={draft.forS}
          error={problems.forS}
          onChange={(event) => onChange({ forS: event.currentTarget.value.trim() })}
        />
        {!isAboutFleet(draft.kind) && <GroupField {...props} />}
      </div>
      <Input.Wrapper label="Severity" labelElement="div">
        <SegmentedControl
          fullWidth
          aria-label="Severity"
          data={severities}
          value={draft.severity}
          onChange={(severity) => onChange({ severity })}
          mt={4}
        />
      </Input.Wrapper>
    </>
  );
}

export function ToldFields({ draft, problems, channels, onChange }: RuleFieldsProps) {
  return (
    <MultiSelect
      label="Tell"
      description={
        channels.length === 0 ? 'There is no channel yet: the alert is shown here only.' : 'Without a channel the alert is shown here only.'
      }
      placeholder={draft.channelIds.length === 0 ? 'Nobody' : ''}
      data={channelChoices(channels)}
      value={[...draft.channelIds]}
      error={problems.channelIds}
      disabled={channels.length === 0}
      onChange={(channelIds) => onChange({ channelIds })}
      hidePickedOptions
    />
  );
}

export function QuietFields({ draft, problems, onChange }: RuleFieldsProps) {
  return (
    <div>
      <Switch
        label="Quiet hours"
        description="Nobody is told then; what is still wrong when they end is told at that time."
        checked={draft.isQuiet}
        onChange={(event) => onChange({ isQuiet: event.currentTarget.checked })}
      />
      {draft.isQuiet && (
        <div className={`${classes['pair']} ${classes['inset']}`}>
          <HoursFields
            hours={{ from: draft.quietFrom, to: draft.quietTo, timeZone: draft.timeZone }}
            problems={{ from: problems.quiet, timeZone: problems.timeZone }}
            onChange={({ from = draft.quietFrom, to = draft.quietTo, timeZone = draft.timeZone }) =>
              onChange({ quietFrom: from, quietTo: to, timeZone })
            }
          />
        </div>
      )}
    </div>
  );
}

export function EscalationFields({ draft, problems, channels, onChange }: RuleFieldsProps) {
  return (
    <div>
      <Switch
        label="Tell further"
        description="When nobody has acknowledged it for a while."
        checked={draft.isEscalated}
        disabled={channels.length === 0}
        onChange={(event) => onChange({ isEscalated: event.currentTarget.checked })}
      />
      {draft.isEscalated && (
        <div className={`${classes['pair']} ${classes['inset']}`}>
          <TextInput
            label="After"
            rightSection="min"
            rightSectionWidth={44}
            inputMode="decimal"
            maxLength={6}
            value={draft.escalateAfterMin}
            error={problems.escalateAfterMin}
            onChange={(event) => onChange({ escalateAfterMin: event.currentTarget.value.trim() })}
          />
          <MultiSelect
            label="Tell then"
            data={channelChoices(channels)}
            value={[...draft.escalateTo]}
            error={problems.escalateTo}
            onChange={(escalateTo) => onChange({ escalateTo })}
            hidePickedOptions
          />
        </div>
      )}
    </div>
  );
}
