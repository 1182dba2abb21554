/** What is set for all devices of the fleet, or of a group, at once; shown before it is saved, and taken back. */
import { Alert, Group, Select, Skeleton, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { isSettingKey } from '#protocol/settings.ts';
import { groupsQuery, levelSettingsQuery } from '../api/queries.ts';
import { PageHeading } from '../layout/page-heading.tsx';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { useTitle } from '../layout/use-title.ts';
import { MaintenanceNote } from '../maintenance/maintenance-note.tsx';
import { RolloutsPanel } from '../rollouts/rollouts-panel.tsx';
import { useMay } from '../session/person.tsx';
import { dayWords } from '../time/words.ts';
import type { Draft } from './form-values.ts';
import { RenameGroup } from './rename-group.tsx';
import { RevisionsPanel } from './revisions-panel.tsx';
import { settingGroups } from './setting-groups.ts';
import { levelRow } from './setting-row.ts';
import { SettingsForm } from './settings-form.tsx';
import { useLevelSave } from './use-level-save.tsx';

export function FleetSettingsPage({ group }: { readonly group: string | null }) {
  const canEdit = useMay('operator');
  const isAdmin = useMay('admin');
  const [, goTo] = useLocation();
  const level = group === null ? 'fleet' : 'group';
  const scope = group ?? '';
  const settings = useQuery(levelSettingsQuery(level, scope));
  const groups = useQuery(groupsQuery);
  const [draft, setDraft] = useState<Draft>({});
  const levelSave = useLevelSave(null);
  const title = group === null ? 'Fleet settings' : `Settings of group ${group}`;
  useTitle(title);

  const keys = settingGroups()
    .flatMap(({ keys: ofGroup }) => ofGroup)
    .filter(isSettingKey);
  const names = (groups.data?.groups ?? []).map(({ name }) => name);
  const choices = [...new Set(group === null ? names : [...names, group])].toSorted();
  const isThere = group !== null && names.includes(group);
  const whose = group === null ? 'every device of the fleet' : `every device of ${group}`;
  return (
    <>
      <PageHeading
        title={title}
        words={`They hold for ${whose}, except where ${group === null ? 'its group or ' : ''}the device itself says otherwise. A field that is empty is left to each device.`}
      >
        <Group gap={8}>
          {choices.length > 0 && (
            <Select
              aria-label="Whose settings"
              allowDeselect={false}
              value={group ?? ''}
              onChange={(name) => goTo(name === null || name === '' ? '/settings' : `/settings/${name}`)}
              data={[{ value: '', label: 'Whole fleet' }, ...choices.map((name) => ({ value: name, label: `Group ${name}` }))]}
            />
          )}
          {group !== null && isThere && isAdmin && <RenameGroup group={group} />}
        </Group>
      </PageHeading>
      {group !== null && groups.data !== undefined && !isThere && (
        <Alert color="yellow" variant="light" role="status" mb="md" title={`There is no group ${group}`}>
          No device is in it, and it has no settings. Maybe it was renamed. What is set here makes a new group.
        </Alert>
      )}
      <MaintenanceNote deviceId={null} group={group} />
      <Stack>
        {settings.data !== undefined && (
          <section className="panel" aria-label={title}>
            <SettingsForm
              rows={keys.map((key) => levelRow(key, settings.data, (at, by) => `Set by ${by} on ${dayWords(at)}.`))}
              draft={draft}
              onDraft={setDraft}
              save={(patch) => levelSave.ask({ level, scope, patch })}
              canEdit={canEdit}
              scopeWords={whose}
              choices={{}}
            />
          </section>
        )}
        {settings.data === undefined && settings.isPending && <Skeleton h={520} radius="lg" />}
        {settings.data === undefined && settings.isError && (
          <ProblemAlert title="The settings cannot be read" error={settings.error} onRetry={() => void settings.refetch()} />
        )}
        <RolloutsPanel />
        <RevisionsPanel level={level} scope={scope} />
      </Stack>
      {levelSave.dialog}
    </>
  );
}
