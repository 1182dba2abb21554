/** What a change would do, before it is saved: at once, or in waves. */
import { Button, Group, Modal, SegmentedControl, Skeleton, Stack, TextInput } from '@mantine/core';
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { RolloutPlan } from '#protocol/model/rollout.ts';
import { type SettingsPatch, SettingsPreview } from '#protocol/model/settings.ts';
import { send } from '../api/api.ts';
import { levelPath } from '../api/queries.ts';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { type NamedDevice, newPlanDraft, planOfDraft } from '../rollouts/plan-draft.ts';
import { WavesFields } from '../rollouts/waves-fields.tsx';
import { PreviewPanel } from './preview-panel.tsx';

type Way = 'now' | 'waves';
export type SaveChoice = { readonly comment: string; readonly plan: RolloutPlan | null };
/** Devices shown at once, and more at a time. */
const previewedFirst = 20;
const previewedFurther = 200;

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
  const preview = useInfiniteQuery({
    queryKey: ['settings-preview', level, scope, patch],
    queryFn: ({ pageParam }) => send('POST', `${levelPath(level, scope)}/preview?${pageParam}`, patch, SettingsPreview),
    initialPageParam: `limit=${previewedFirst}`,
    getNextPageParam: ({ next }) => (next === null ? null : `limit=${previewedFurther}&skip=${next}`),
    gcTime: 0,
  });
  const read = planOfDraft(draft);
  const plan = way === 'waves' && read.kind === 'plan' ? read.plan : null;
  const saving = useMutation({ mutationFn: () => save({ comment: comment.trim(), plan }) });
  const whose = level === 'fleet' ? 'the whole fleet' : `group ${scope}`;
  // Each answer counts anew: the newest count is shown.
  const newest = preview.data?.pages.at(-1);
  const named = preview.data?.pages.flatMap(({ devices }) => devices) ?? [];
  const canaries = from === null || named.some(({ id }) => id === from.id) ? named : [from, ...named];
  return (
    <Modal opened onClose={onClose} title={`Save these changes for ${whose}?`} size="lg" centered>
      <Stack>
        {preview.isPending && <Skeleton h={120} />}
        {preview.isError && (
          <ProblemAlert
            title={newest === undefined ? 'What it would change is not known' : 'The other devices cannot be read'}
            error={preview.error}
          />
        )}
        {newest !== undefined && (
          <PreviewPanel
            preview={{ ...newest, devices: named }}
            isReadingMore={preview.isFetchingNextPage}
            onMore={preview.hasNextPage ? () => void preview.fetchNextPage() : null}
          />
        )}
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
