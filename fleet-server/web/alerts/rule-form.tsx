/** Adds or changes a rule. */
import { Modal, Stack, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { type AlertChannel, AlertRule, type AlertRuleRequest } from '#protocol/model/alert.ts';
import { pathOf, send } from '../api/api.ts';
import { queryKeys } from '../api/query-keys.ts';
import { SaveFooter } from '../layout/save-footer.tsx';
import { checkRule, draftOf, newDraft, type RuleDraft } from './rule-draft.ts';
import { EscalationFields, QuietFields, ToldFields, TriggerFields } from './rule-fields.tsx';

type RuleFormProps = {
  /** Null: a new one. */
  readonly rule: AlertRule | null;
  readonly channels: readonly AlertChannel[];
  readonly onClose: () => void;
};

function firstDraft({ rule, channels }: RuleFormProps): RuleDraft {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  if (rule === null) return newDraft(timeZone);
  return draftOf(
    rule,
    timeZone,
    channels.map(({ id }) => id),
  );
}

/** Drawn only while it is open. */
export function RuleForm(props: RuleFormProps) {
  const { rule, channels, onClose } = props;
  const client = useQueryClient();
  const [draft, setDraft] = useState(() => firstDraft(props));
  const [tries, setTries] = useState(0);
  const save = useMutation({
    mutationFn: (request: AlertRuleRequest) =>
      rule === null ? send('POST', '/alert-rules', request, AlertRule) : send('PUT', pathOf('alert-rules', rule.id), request, AlertRule),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: queryKeys.alertRules });
      onClose();
    },
  });
  const form = useRef<HTMLFormElement>(null);
  // The field that is wrong may be far from the button.
  useEffect(() => {
    const wrong = tries > 0 ? form.current?.querySelector<HTMLElement>('[aria-invalid="true"]') : null;
    wrong?.focus();
    // To the middle: at the top it would be below the dialog's title.
    wrong?.scrollIntoView({ block: 'center' });
  }, [tries]);
  const checked = checkRule(draft);
  const problems = tries > 0 && checked.kind === 'problems' ? checked.problems : {};
  const change = (part: Partial<RuleDraft>): void => setDraft((before) => ({ ...before, ...part }));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTries((before) => before + 1);
    if (checked.kind === 'rule') save.mutate(checked.rule);
  };
  const fields = { draft, problems, channels, onChange: change };
  return (
    <Modal opened onClose={onClose} title={rule === null ? 'Add a rule' : 'Change the rule'} size="lg" centered closeOnClickOutside={false}>
      <form ref={form} onSubmit={submit} noValidate>
        <Stack>
          <TextInput
            label="Name"
            placeholder="A hall is away"
            autoComplete="off"
            maxLength={80}
            value={draft.name}
            error={problems.name}
            onChange={(event) => change({ name: event.currentTarget.value })}
            data-autofocus
          />
          <TriggerFields {...fields} />
          <ToldFields {...fields} />
          <QuietFields {...fields} />
          <EscalationFields {...fields} />
          <SaveFooter save={save} onClose={onClose} />
        </Stack>
      </form>
    </Modal>
  );
}
