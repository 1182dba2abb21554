/** What is set for all devices of the fleet, or of a group, at once; shown before it is saved, and taken back. */
import { Select, Skeleton, Stack } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { RolloutDetail } from '#protocol/model/rollout.ts';
import { LevelSettings, type SettingsPatch } from '#protocol/model/settings.ts';
import { isSettingKey } from '#protocol/settings.ts';
import { send } from '../api/api.ts';
import { groupsQuery, levelPath, levelSettingsQuery } from '../api/queries.ts';
import { queryKeys } from '../api/query-keys.ts';
import { PageHeading } from '../layout/page-heading.tsx';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { useTitle } from '../layout/use-title.ts';
import { RolloutsPanel } from '../rollouts/rollouts-panel.tsx';
import { useMay } from '../session/person.tsx';
import { dayWords } from '../time/words.ts';
import type { Draft } from './form-values.ts';
import { RevisionsPanel } from './revisions-panel.tsx';
import { type SaveChoice, SaveDialog } from './save-dialog.tsx';
import { settingGroups } from './setting-groups.ts';
import { levelRow } from './setting-row.ts';
import { type SaveOutcome, SettingsForm } from './settings-form.tsx';

/** A change that somebody looks at before saving it. */
type Asked = { readonly patch: SettingsPatch; readonly answer: (outcome: SaveOutcome) => void };

export function FleetSettingsPage({ group }: { readonly group: string | null }) {
  const client = useQueryClient();
  const canEdit = useMay('operator');
  const [, goTo] = useLocation();
  const level = group === null ? 'fleet' : 'group';
  const scope = group ?? '';
  const settings = useQuery(levelSettingsQuery(level, scope));
  const groups = useQuery(groupsQuery);
  const [draft, setDraft] = useState<Draft>({});
  const [asked, setAsked] = useState<Asked | null>(null);
  const title = group === null ? 'Fleet settings' : `Settings of group ${group}`;
  useTitle(title);

  const end = (outcome: SaveOutcome): void => {
    asked?.answer(outcome);
    setAsked(null);
  };
  const save = async ({ comment, plan }: SaveChoice): Promise<void> => {
    if (asked === null) return;
    if (plan !== null) {
      const about = { scope: group === null ? { kind: 'fleet' } : { kind: 'group', name: group }, patch: asked.patch, plan };
      const { id } = await send('POST', '/rollouts', comment === '' ? about : { ...about, comment }, RolloutDetail);
      end('saved');
      goTo(`/rollouts/${id}`);
      return;
    }
    const queryKey = queryKeys.levelSettings(level, scope);
    const query = comment === '' ? '' : `?comment=${encodeURIComponent(comment)}`;
    const answer = await send('PATCH', `${levelPath(level, scope)}${query}`, asked.patch, LevelSettings);
    await client.cancelQueries({ queryKey });
    client.setQueryData(queryKey, answer);
    await client.invalidateQueries({ queryKey: queryKeys.revisions(level, scope) });
    end('saved');
  };

  const keys = settingGroups()
    .flatMap(({ keys: ofGroup }) => ofGroup)
    .filter(isSettingKey);
  const names = (groups.data?.groups ?? []).map(({ name }) => name);
  const choices = [...new Set(group === null ? names : [...names, group])].toSorted();
  const whose = group === null ? 'every device of the fleet' : `every device of ${group}`;
  return (
    <>
      <PageHeading
        title={title}
        words={`They hold for ${whose}, except where ${group === null ? 'its group or ' : ''}the device itself says otherwise. A field that is empty is left to each device.`}
      >
        {choices.length > 0 && (
          <Select
            aria-label="Whose settings"
            allowDeselect={false}
            value={group ?? ''}
            onChange={(name) => goTo(name === null || name === '' ? '/settings' : `/settings/${name}`)}
            data={[{ value: '', label: 'Whole fleet' }, ...choices.map((name) => ({ value: name, label: `Group ${name}` }))]}
          />
        )}
      </PageHeading>
      <Stack>
        {settings.data !== undefined && (
          <section className="panel" aria-label={title}>
            <SettingsForm
              rows={keys.map((key) => levelRow(key, settings.data, (at, by) => `Set by ${by} on ${dayWords(at)}.`))}
              draft={draft}
              onDraft={setDraft}
              save={(patch) => new Promise((answer) => setAsked({ patch, answer }))}
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
      {asked !== null && <SaveDialog level={level} scope={scope} patch={asked.patch} save={save} onClose={() => end('kept')} />}
    </>
  );
}
