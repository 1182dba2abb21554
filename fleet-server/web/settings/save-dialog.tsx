/** What a change would do, before it is saved: at once, or in waves. */
import { Button, Group, Modal, SegmentedControl, Stack, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { RolloutPlan } from '#protocol/model/rollout.ts';
import type { SettingsPatch } from '#protocol/model/settings.ts';
import { levelPath } from '../api/queries.ts';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { type NamedDevice, newPlanDraft, planOfDraft } from '../rollouts/plan-draft.ts';
import { WavesFields } from '../rollouts/waves-fields.tsx';
import { ShownPreview, useSettingsPreview } from './settings-preview.tsx';

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
  const preview = useSettingsPreview(`${levelPath(level, scope)}/preview`, patch);
  const { newest, devices: named } = preview;
  const read = planOfDraft(draft);
  const plan = way === 'waves' && read.kind === 'plan' ? read.plan : null;
  const saving = useMutation({ mutationFn: () => save({ comment: comment.trim(), plan }) });
  const whose = level === 'fleet' ? 'the whole fleet' : `group ${scope}`;
  const canaries = from === null || named.some(({ id }) => id === from.id) ? named : [from, ...named];
  return (
    <Modal opened onClose={onClose} title={`Save these changes for ${whose}?`} size="lg" centered>
      <Stack>
        <ShownPreview preview={preview} />
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
            disabled={(newest !== undefined && newest.problems.length > 0) || (way === 'waves' && plan === null)}
            onClick={() => saving.mutate()}
          >
            {way === 'now' ? 'Save' : 'Begin the roll-out'}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
