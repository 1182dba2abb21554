/** The watchdog's policy of the fleet or of a group: what was typed stays until it is saved or thrown away. */
import { Alert, Badge, Button, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { type WatchdogPolicy, WatchdogPolicyAnswer } from '#protocol/model/watchdog.ts';
import { remove, send } from '../api/api.ts';
import { watchdogPolicyPath } from '../api/queries.ts';
import { queryKeys } from '../api/query-keys.ts';
import { Confirm } from '../layout/confirm.tsx';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { dayWords } from '../time/words.ts';
import { checkPolicy, draftOf, isChanged, type PolicyDraft, versionOf } from './policy-draft.ts';
import { FaultsPart, PacePart, StepsPart } from './policy-fields.tsx';
import { originWords } from './policy-words.ts';
import classes from './watchdog.module.css';

type PolicyFormProps = {
  /** Null: the fleet's. */
  readonly group: string | null;
  readonly answer: WatchdogPolicyAnswer;
  readonly canEdit: boolean;
};

type OriginProps = PolicyFormProps & {
  readonly onTakeBack: () => void;
  /** Null: it cannot be done now. */
  readonly onKeep: (() => void) | null;
};

function Origin({ group, answer, canEdit, onTakeBack, onKeep }: OriginProps) {
  const { title, words } = originWords(answer, group, dayWords);
  const isOwn = answer.level === (group === null ? 'fleet' : 'group');
  return (
    <section
      className={`panel ${classes['origin']}`}
      aria-label="Where it comes from"
      data-testid="watchdog-origin"
      data-level={answer.level}
    >
      <Badge variant="light" color={isOwn ? 'indigo' : 'gray'} tt="none">
        {title}
      </Badge>
      <p>{words}</p>
      {canEdit && isOwn && (
        <Button size="compact-sm" variant="subtle" color="red" onClick={onTakeBack}>
          Take it back
        </Button>
      )}
      {canEdit && !isOwn && onKeep !== null && (
        <Button size="compact-sm" variant="default" onClick={onKeep}>
          {group === null ? 'Keep it as the fleet’s own' : 'Keep it as the group’s own'}
        </Button>
      )}
    </section>
  );
}

/** What was typed, and over which policy. */
type Typed = { readonly draft: PolicyDraft; readonly over: string };

export function PolicyForm({ group, answer, canEdit }: PolicyFormProps) {
  const client = useQueryClient();
  const [typed, setTyped] = useState<Typed | null>(null);
  const [isTakingBack, setTakingBack] = useState(false);
  // A group without a policy of its own follows the fleet's.
  const readAgain = () => client.invalidateQueries({ queryKey: queryKeys.watchdogPolicies });
  const save = useMutation({
    mutationFn: (policy: WatchdogPolicy) => send('PUT', watchdogPolicyPath(group), policy, WatchdogPolicyAnswer),
    onSuccess: async (saved) => {
      client.setQueryData(queryKeys.watchdogPolicy(group), saved);
      setTyped(null);
      await readAgain();
    },
  });
  const draft = typed?.draft ?? draftOf(answer.policy);
  const checked = checkPolicy(draft);
  const problems = checked.kind === 'problems' ? checked.problems : {};
  const problemCount = Object.keys(problems).length;
  const hasChanges = typed !== null && isChanged(draft, answer.policy);
  const isOvertaken = hasChanges && typed.over !== versionOf(answer);
  const change = (next: PolicyDraft): void => {
    save.reset();
    setTyped({ draft: next, over: typed?.over ?? versionOf(answer) });
  };
  const discard = (): void => {
    save.reset();
    setTyped(null);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (hasChanges && checked.kind === 'policy') save.mutate(checked.policy);
  };
  // As it stands, whatever becomes of the one that it came from.
  const keep = hasChanges || save.isPending ? null : () => save.mutate(answer.policy);
  const part = { draft, problems, onChange: canEdit ? change : null };
  const whom = group === null ? 'the fleet' : `group ${group}`;
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <Origin group={group} answer={answer} canEdit={canEdit} onTakeBack={() => setTakingBack(true)} onKeep={keep} />
        {!canEdit && <Text className="dim">Your role may look at the policy; admins change it.</Text>}
        <FaultsPart {...part} />
        <StepsPart {...part} />
        <PacePart {...part} />
        {isOvertaken && (
          <Alert color="yellow" variant="light" role="status">
            Meanwhile somebody else has changed this policy. Saving replaces theirs with what stands here; discarding shows it.
          </Alert>
        )}
        {save.isError && <ProblemAlert title="Not saved" error={save.error} />}
        {canEdit && (
          <div className={`panel ${classes['bar']}`} data-changed={hasChanges}>
            <span role="status">
              {hasChanges ? 'Unsaved changes' : 'No changes'}
              {hasChanges && <span className="dim">{` for ${whom}`}</span>}
              {problemCount > 0 && (
                <strong className={classes['wrong']}>
                  {problemCount === 1 ? 'One value is wrong' : `${problemCount} values are wrong`}
                </strong>
              )}
            </span>
            <Button type="button" variant="default" disabled={!hasChanges || save.isPending} onClick={discard}>
              Discard
            </Button>
            <Button type="submit" loading={save.isPending} disabled={!hasChanges || checked.kind !== 'policy'}>
              Save
            </Button>
          </div>
        )}
      </Stack>
      {isTakingBack && (
        <Confirm
          title={`Take the policy of ${whom} back?`}
          words={
            group === null
              ? 'From then on the watchdog does what it comes with, except in groups that have a policy of their own.'
              : 'From then on the fleet’s policy counts for the group.'
          }
          action="Take it back"
          problemTitle="Not taken back"
          act={async () => {
            await remove(watchdogPolicyPath(group));
            setTyped(null);
            await readAgain();
          }}
          onClose={() => setTakingBack(false)}
        />
      )}
    </form>
  );
}
