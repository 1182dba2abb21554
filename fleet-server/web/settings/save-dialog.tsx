/** What a change would do, before it is saved: at once, or in waves. */
import { Badge, Button, Group, Modal, NumberInput, SegmentedControl, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { RolloutPlan } from '#protocol/model/rollout.ts';
import { type SettingsPatch, SettingsPreview } from '#protocol/model/settings.ts';
import { send } from '../api/api.ts';
import { levelPath } from '../api/queries.ts';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { ChangeLine } from './change-words.tsx';

type Way = 'now' | 'waves';
export type SaveChoice = { readonly comment: string; readonly plan: RolloutPlan | null };
type SaveDialogProps = {
  readonly level: 'fleet' | 'group';
  readonly scope: string;
  readonly patch: SettingsPatch;
  readonly save: (choice: SaveChoice) => Promise<void>;
  readonly onClose: () => void;
};

export function SaveDialog({ level, scope, patch, save, onClose }: SaveDialogProps) {
  const [comment, setComment] = useState('');
  const [way, setWay] = useState<Way>('now');
  const [soakMin, setSoakMin] = useState(5);
  const [threshold, setThreshold] = useState(10);
  const preview = useQuery({
    queryKey: ['settings-preview', level, scope, patch],
    queryFn: () => send('POST', `${levelPath(level, scope)}/preview`, patch, SettingsPreview),
    gcTime: 0,
  });
  const plan: RolloutPlan = { kind: 'waves', canary: 1, shares: [10, 50, 100], soakS: soakMin * 60, failureThresholdPercent: threshold };
  const saving = useMutation({ mutationFn: () => save({ comment: comment.trim(), plan: way === 'waves' ? plan : null }) });
  return (
    <Modal opened onClose={onClose} title="Save these changes?" size="lg" centered>
      <Stack>
        {preview.data === undefined && preview.isPending && <Skeleton h={120} />}
        {preview.isError && <ProblemAlert title="What it would change is not known" error={preview.error} />}
        {preview.data !== undefined && <PreviewWords preview={preview.data} />}
        <TextInput
          label="Why"
          placeholder="For whoever reads the history"
          maxLength={300}
          value={comment}
          onChange={(event) => setComment(event.currentTarget.value)}
        />
        <SegmentedControl<Way>
          aria-label="How"
          value={way}
          onChange={setWay}
          data={[
            { value: 'now', label: 'All at once' },
            { value: 'waves', label: 'Roll out in waves' },
          ]}
        />
        {way === 'waves' && (
          <>
            <Text size="sm" className="dim">
              One canary, then 10 %, 50 % and all devices. Each wave begins when the one before has confirmed the change and stayed well.
            </Text>
            <Group grow>
              <NumberInput
                label="Well for, minutes"
                min={0}
                max={1440}
                allowDecimal={false}
                value={soakMin}
                onChange={(value) => setSoakMin(Number(value))}
              />
              <NumberInput
                label="Halt when more fail than, %"
                min={0}
                max={100}
                allowDecimal={false}
                value={threshold}
                onChange={(value) => setThreshold(Number(value))}
              />
            </Group>
          </>
        )}
        {saving.isError && <ProblemAlert title="Not saved" error={saving.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            loading={saving.isPending}
            disabled={preview.data !== undefined && preview.data.problems.length > 0}
            onClick={() => saving.mutate()}
          >
            {way === 'now' ? 'Save' : 'Begin the roll-out'}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function PreviewWords({ preview: { changes, deviceCount, touchedCount, devices, problems } }: { readonly preview: SettingsPreview }) {
  const overridden = devices.filter((device) => device.changes.length > 0 && device.changes.every(({ effect }) => effect === 'none'));
  const touched = devices.filter((device) => device.changes.some(({ effect }) => effect === 'value'));
  return (
    <div data-testid="preview">
      <Text fw={600}>{`Touches ${touchedCount} of ${deviceCount} ${deviceCount === 1 ? 'device' : 'devices'}`}</Text>
      <Stack gap={4} my="xs">
        {changes.map((change) => (
          <ChangeLine key={change.key} change={change} />
        ))}
      </Stack>
      <Group gap={6}>
        {touched.map(({ id, name, isOnline }) => (
          <Badge key={id} variant="light" color={isOnline ? 'indigo' : 'gray'} tt="none">
            {isOnline ? name : `${name} (offline)`}
          </Badge>
        ))}
        {touchedCount > touched.length && <span className="dim">{`and ${touchedCount - touched.length} more`}</span>}
      </Group>
      {overridden.length > 0 && (
        <Text size="sm" className="dim" mt="xs">
          {`No effect, as they say otherwise themselves or in their group: ${overridden.map(({ name }) => name).join(', ')}.`}
        </Text>
      )}
      {problems.map(({ key, expected }) => (
        <Text key={key} c="red" size="sm">{`${key}: expected ${expected}.`}</Text>
      ))}
    </div>
  );
}
