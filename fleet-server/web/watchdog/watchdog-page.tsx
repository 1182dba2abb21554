/** What the watchdog does about faults: the policy of the fleet and of each group. */
import { Select, Skeleton, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useLocation } from 'wouter';
import { groupsQuery, ownWatchdogPoliciesQuery, watchdogPolicyQuery } from '../api/queries.ts';
import { PageHeading } from '../layout/page-heading.tsx';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { useTitle } from '../layout/use-title.ts';
import { useMay } from '../session/person.tsx';
import { OwnPolicies } from './own-policies.tsx';
import { PolicyForm } from './policy-form.tsx';

export function WatchdogPage({ group }: { readonly group: string | null }) {
  const isAdmin = useMay('admin');
  const [, goTo] = useLocation();
  const policy = useQuery(watchdogPolicyQuery(group));
  const groups = useQuery(groupsQuery);
  const own = useQuery(ownWatchdogPoliciesQuery);
  const withOwn = new Set((own.data?.groups ?? []).map(({ name }) => name));
  const names = [...(groups.data?.groups ?? []).map(({ name }) => name), ...withOwn];
  const choices = [...new Set(group === null ? names : [...names, group])].toSorted();
  useTitle('Watchdog');
  return (
    <>
      <PageHeading
        title="Watchdog"
        words="It compares what a device says with what arrives and with what is in the picture, and restarts what hangs. It leaves a device alone that is offline, was told to stop, or is in a maintenance window. Of one that streams elsewhere, what it says itself counts."
      >
        {choices.length > 0 && (
          <Select
            aria-label="Whose policy"
            allowDeselect={false}
            value={group ?? ''}
            onChange={(name) => goTo(name === null || name === '' ? '/watchdog' : `/watchdog/${name}`)}
            data={[
              { value: '', label: 'Whole fleet' },
              ...choices.map((name) => ({ value: name, label: `Group ${name}${withOwn.has(name) ? ', its own' : ''}` })),
            ]}
          />
        )}
      </PageHeading>
      {policy.data === undefined && policy.isPending && <Skeleton h={520} radius="lg" aria-label="Loading" />}
      {policy.data === undefined && policy.isError && (
        <ProblemAlert title="The policy cannot be read" error={policy.error} onRetry={() => void policy.refetch()} />
      )}
      <Stack>
        {group === null && own.data !== undefined && choices.length > 0 && <OwnPolicies groups={own.data.groups} />}
        {policy.data !== undefined && <PolicyForm group={group} answer={policy.data} canEdit={isAdmin} />}
      </Stack>
    </>
  );
}
