/** Gives tags to the devices that are chosen, or takes them from them. */
import { Modal, Stack, TagsInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { TaggingResult } from '#protocol/model/device.ts';
import { send } from '../api/api.ts';
import { tagsQuery } from '../api/queries.ts';
import { queryKeys } from '../api/query-keys.ts';
import { SaveFooter } from '../layout/save-footer.tsx';
import { ChangedCount } from './changed-count.tsx';
import { asWords, maxTags, maxWordLength } from './group-words.ts';
import { type Selection, selectionBody } from './selection.ts';

type TagDialogProps = { readonly selection: Selection; readonly words: string; readonly onClose: () => void };

type TagFieldProps = { readonly label: string; readonly value: readonly string[]; readonly onChange: (tags: readonly string[]) => void };

function TagField({ label, value, onChange }: TagFieldProps) {
  const tags = useQuery(tagsQuery);
  return (
    <TagsInput
      label={label}
      placeholder={value.length === 0 ? 'Such as upstairs, then Enter' : ''}
      data={(tags.data?.tags ?? []).map(({ name }) => name)}
      value={[...value]}
      onChange={(typed) => onChange(asWords(typed))}
      maxLength={maxWordLength}
      maxTags={maxTags}
      acceptValueOnBlur
    />
  );
}

export function TagDialog({ selection, words, onClose }: TagDialogProps) {
  const client = useQueryClient();
  const [add, setAdd] = useState<readonly string[]>([]);
  const [remove, setRemove] = useState<readonly string[]>([]);
  const save = useMutation({
    mutationFn: () => send('POST', '/devices/tagging', { ...selectionBody(selection), add, remove }, TaggingResult),
    onSuccess: () =>
      Promise.all([client.invalidateQueries({ queryKey: queryKeys.devices }), client.invalidateQueries({ queryKey: queryKeys.tags })]),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Modal opened onClose={onClose} title={`Tags of ${words}`} centered>
      {save.data === undefined ? (
        <form onSubmit={submit}>
          <Stack>
            <TagField label="Give them" value={add} onChange={setAdd} />
            <TagField label="Take from them" value={remove} onChange={setRemove} />
            <SaveFooter save={save} problemTitle="Not changed" isDisabled={add.length + remove.length === 0} onClose={onClose} />
          </Stack>
        </form>
      ) : (
        <ChangedCount result={save.data} words={{ done: 'changed', others: 'the others had it so already' }} onClose={onClose} />
      )}
    </Modal>
  );
}
