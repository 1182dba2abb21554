/** What was changed for the fleet, a group or a device, and back. */
import { Button, Group, Stack, Text } from '@mantine/core';
import { IconArrowBackUp } from '@tabler/icons-react';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { DeviceSettings, LevelSettings, type SettingsRevision } from '#protocol/model/settings.ts';
import { ApiProblem, send } from '../api/api.ts';
import { type EditedLevel, levelPath, revisionsQuery } from '../api/queries.ts';
import { queryKeys } from '../api/query-keys.ts';
import { Panel } from '../device/panel.tsx';
import { OlderButton } from '../layout/older-button.tsx';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { useMay } from '../session/person.tsx';
import { Ago } from '../time/times.tsx';
import { ChangeLine } from './change-words.tsx';

type RevisionsProps = { readonly level: EditedLevel; readonly scope: string };

export function RevisionsPanel({ level, scope, title = 'What was changed' }: RevisionsProps & { readonly title?: string }) {
  const revisions = useInfiniteQuery(revisionsQuery(level, scope));
  const shown = revisions.data?.pages.flatMap((page) => page.revisions);
  return (
    <Panel title={title}>
      {shown?.length === 0 && <Text className="dim">Nothing yet.</Text>}
      <Stack gap="md">
        {shown?.map((revision) => (
          <Revision key={revision.number} level={level} scope={scope} revision={revision} />
        ))}
      </Stack>
      <OlderButton list={revisions} />
      {revisions.isError && (
        <ProblemAlert title="The changes cannot be read" error={revisions.error} onRetry={() => void revisions.refetch()} />
      )}
    </Panel>
  );
}

function Revision({ level, scope, revision }: RevisionsProps & { readonly revision: SettingsRevision }) {
  const client = useQueryClient();
  const canEdit = useMay('operator');
  const { number, at, by, comment, undoes, changes } = revision;
  const undo = useMutation({
    mutationFn: (override: boolean) => {
      const path = `${levelPath(level, scope)}/revisions/${number}/undo`;
      return send<typeof DeviceSettings | typeof LevelSettings>(
        'POST',
        path,
        { override },
        level === 'device' ? DeviceSettings : LevelSettings,
      );
    },
    onSuccess: () => client.invalidateQueries({ queryKey: level === 'device' ? queryKeys.settings(scope) : ['level-settings'] }),
  });
  const isChangedSince = undo.error instanceof ApiProblem && undo.error.code === 'changed-since';
  return (
    <div data-testid="revision">
      <Group justify="space-between" align="flex-start" wrap="nowrap" gap="sm">
        <div style={{ minWidth: 0 }}>
          <Text size="sm">
            <strong>{`Revision ${number}`}</strong>
            <span className="dim">
              {` by ${by} `}
              <Ago at={at} />
              {undoes === null ? '' : `, takes back revision ${undoes}`}
            </span>
          </Text>
          {comment !== null && <Text size="sm">{comment}</Text>}
          {changes.map((change) => (
            <ChangeLine key={change.key} change={change} />
          ))}
        </div>
        {canEdit && (
          <Button
            size="compact-sm"
            variant="default"
            style={{ flexShrink: 0 }}
            leftSection={<IconArrowBackUp size={15} aria-hidden />}
            loading={undo.isPending}
            onClick={() => undo.mutate(false)}
          >
            Undo
          </Button>
        )}
      </Group>
      {undo.isError && <ProblemAlert title="Not undone" error={undo.error} />}
      {isChangedSince && (
        <Button size="compact-sm" mt={6} color="orange" onClick={() => undo.mutate(true)}>
          Undo it nevertheless
        </Button>
      )}
    </div>
  );
}
