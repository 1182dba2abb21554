/** What was changed for the fleet, a group or a device, and back. */
import { Button, Group, Stack, Text } from '@mantine/core';
import { IconArrowBackUp } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { SettingsRevision } from '#protocol/model/settings.ts';
import { type EditedLevel, revisionsQuery } from '../api/queries.ts';
import { Panel } from '../device/panel.tsx';
import { OlderButton } from '../layout/older-button.tsx';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { useMay } from '../session/person.tsx';
import { Ago } from '../time/times.tsx';
import { ChangeLine } from './change-words.tsx';
import { UndoDialog } from './undo-dialog.tsx';

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
  const canEdit = useMay('operator');
  const { number, at, by, comment, undoes, changes } = revision;
  const [isAsked, setAsked] = useState(false);
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
            onClick={() => setAsked(true)}
          >
            Undo
          </Button>
        )}
      </Group>
      {isAsked && <UndoDialog level={level} scope={scope} number={number} onClose={() => setAsked(false)} />}
    </div>
  );
}
