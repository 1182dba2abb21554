/** What a change would do, before it is saved: at once, or in waves. */
import { Badge, Button, Group, Modal, SegmentedControl, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { RolloutPlan } from '#protocol/model/rollout.ts';
import { type SettingsPatch, SettingsPreview } from '#protocol/model/settings.ts';
import { send } from '../api/api.ts';
import { levelPath } from '../api/queries.ts';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { type NamedDevice, newPlanDraft, planOfDraft } from '../rollouts/plan-draft.ts';
import { WavesFields } from '../rollouts/waves-fields.tsx';
import { ChangeLine } from './change-words.tsx';

type Way = 'now' | 'waves';
export type SaveChoice = { readonly comment: string; readonly plan: RolloutPlan | null };
type SaveDialogProps = {
  readonly level: 'fleet' | 'group';
  readonly scope: string;
  readonly patch: SettingsPatch;
  /** The device from whose page it is changed. */
  readonly from: NamedDevice | null;
  readonly save: (choice: SaveChoice) => Promise<void>;
  readonly onClose: () => void;
};

export function SaveDialog({ level, scope, patch, from, save, onClose }: SaveDialogProps) {
  const [comment, setComment] = useState('');
  const [way, setWay] = useState<Way>('now');
  const [draft, setDraft] = useState(() => newPlanDraft(from));
  const preview = useQuery({
    queryKey: ['settings-preview', level, scope, patch],
    queryFn: () => send('POST', `${levelPath(level, scope)}/preview`, patch, SettingsPreview),
    gcTime: 0,
  });
  const read = planOfDraft(draft);
  const plan = way === 'waves' && read.kind === 'plan' ? read.plan : null;
  const saving = useMutation({ mutationFn: () => save({ comment: comment.trim(), plan }) });
  const whose = level === 'fleet' ? 'the whole fleet' : `group ${scope}`;
  const named = preview.data?.devices ?? [];
  const canaries = from === null || named.some(({ id }) => id === from.id) ? named : [from, ...named];
  return (
    <Modal opened onClose={onClose} title={`Save these changes for ${whose}?`} size="lg" centered>
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
        {way === 'waves' && <WavesFields draft={draft} read={read} devices={canaries} onDraft={setDraft} />}
        {saving.isError && <ProblemAlert title="Not saved" error={saving.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            loading={saving.isPending}
            disabled={(preview.data !== undefined && preview.data.problems.length > 0) || (way === 'waves' && plan === null)}
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
