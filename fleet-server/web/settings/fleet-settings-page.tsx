/** What is set for all devices at once. */
import { Skeleton, Text, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { LevelSettings, type SettingsPatch } from '#protocol/model/settings.ts';
import { isSettingKey } from '#protocol/settings.ts';
import { send } from '../api/api.ts';
import { levelPath, levelSettingsQuery } from '../api/queries.ts';
import { queryKeys } from '../api/query-keys.ts';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { useTitle } from '../layout/use-title.ts';
import { useMay } from '../session/person.tsx';
import { dayWords } from '../time/words.ts';
import type { Draft } from './form-values.ts';
import { settingGroups } from './setting-groups.ts';
import { levelRow } from './setting-row.ts';
import { SettingsForm } from './settings-form.tsx';

export function FleetSettingsPage() {
  const client = useQueryClient();
  const canEdit = useMay('operator');
  const settings = useQuery(levelSettingsQuery('fleet', ''));
  const [draft, setDraft] = useState<Draft>({});
  useTitle('Fleet settings');

  const save = async (patch: SettingsPatch): Promise<void> => {
    const queryKey = queryKeys.levelSettings('fleet', '');
    const answer = await send('PATCH', levelPath('fleet', ''), patch, LevelSettings);
    await client.cancelQueries({ queryKey });
    client.setQueryData(queryKey, answer);
  };

  const keys = settingGroups()
    .flatMap((group) => group.keys)
    .filter(isSettingKey);
  return (
    <>
      <Title order={1} size="h2">
        Fleet settings
      </Title>
      <Text className="dim" mt={4} mb="md" maw={720}>
        They hold for every device of the fleet, except where its group or the device itself says otherwise. A field that is empty is left
        to each device.
      </Text>
      {settings.data !== undefined && (
        <section className="panel" aria-label="Settings of the fleet">
          <SettingsForm
            rows={keys.map((key) => levelRow(key, settings.data, (at, by) => `Set by ${by} on ${dayWords(at)}.`))}
            draft={draft}
            onDraft={setDraft}
            save={save}
            canEdit={canEdit}
            scopeWords="every device of the fleet"
            choices={{}}
          />
        </section>
      )}
      {settings.data === undefined && settings.isPending && <Skeleton h={520} radius="lg" />}
      {settings.data === undefined && settings.isError && (
        <ProblemAlert title="The fleet’s settings cannot be read" error={settings.error} onRetry={() => void settings.refetch()} />
      )}
    </>
  );
}
