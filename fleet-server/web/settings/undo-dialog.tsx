/** What undoing a revision would do, before it is done. */
import { Button, Group, Modal, Stack } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { DeviceSettings, LevelSettings } from '#protocol/model/settings.ts';
import { send } from '../api/api.ts';
import { type EditedLevel, levelPath } from '../api/queries.ts';
import { queryKeys } from '../api/query-keys.ts';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { ShownPreview, useSettingsPreview } from './settings-preview.tsx';

type UndoDialogProps = { readonly level: EditedLevel; readonly scope: string; readonly number: number; readonly onClose: () => void };

export function UndoDialog({ level, scope, number, onClose }: UndoDialogProps) {
  const client = useQueryClient();
  /** Also what was changed again since. */
  const [override, setOverride] = useState(false);
  const path = `${levelPath(level, scope)}/revisions/${number}/undo`;
  const preview = useSettingsPreview(`${path}/preview`, { override });
  const undo = useMutation({
    mutationFn: () =>
      send<typeof DeviceSettings | typeof LevelSettings>('POST', path, { override }, level === 'device' ? DeviceSettings : LevelSettings),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: level === 'device' ? queryKeys.settings(scope) : ['level-settings'] });
      onClose();
    },
  });
  const whose = level === 'fleet' ? 'the whole fleet' : level === 'group' ? `group ${scope}` : 'this device';
  const hasProblems = preview.newest !== undefined && preview.newest.problems.length > 0;
  return (
    <Modal opened onClose={onClose} title={`Undo revision ${number} for ${whose}?`} size="lg" centered>
      <Stack>
        <ShownPreview preview={preview} />
        {undo.isError && <ProblemAlert title="Not undone" error={undo.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            Cancel
          </Button>
          {hasProblems && !override ? (
            <Button color="orange" onClick={() => setOverride(true)}>
              Show what it would do nevertheless
            </Button>
          ) : (
            <Button loading={undo.isPending} disabled={preview.newest === undefined || hasProblems} onClick={() => undo.mutate()}>
              Undo
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}
