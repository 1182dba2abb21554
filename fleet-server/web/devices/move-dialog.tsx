/** Moves the devices that are chosen to a group, or out of any. */
import { Autocomplete, Checkbox, Modal, Stack } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { GroupingResult } from '#protocol/model/device.ts';
import { send } from '../api/api.ts';
import { groupsQuery } from '../api/queries.ts';
import { queryKeys } from '../api/query-keys.ts';
import { SaveFooter } from '../layout/save-footer.tsx';
import { ChangedCount } from './changed-count.tsx';
import { asWord, maxWordLength } from './group-words.ts';
import { type Selection, selectionBody } from './selection.ts';

type MoveDialogProps = { readonly selection: Selection; readonly words: string; readonly onClose: () => void };

export function MoveDialog({ selection, words, onClose }: MoveDialogProps) {
  const client = useQueryClient();
  // Where a group is looked for, those that were moved match no more.
  const [title] = useState(`Group of ${words}`);
  const [name, setName] = useState('');
  const [isOut, setOut] = useState(false);
  const groups = useQuery(groupsQuery);
  const save = useMutation({
    mutationFn: (group: string | null) => send('POST', '/devices/grouping', { ...selectionBody(selection), group }, GroupingResult),
    onSuccess: () =>
      Promise.all([client.invalidateQueries({ queryKey: queryKeys.devices }), client.invalidateQueries({ queryKey: queryKeys.groups })]),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save.mutate(isOut ? null : name);
  };
  return (
    <Modal opened onClose={onClose} title={title} centered>
      {save.data === undefined ? (
        <form onSubmit={submit}>
          <Stack>
            <Autocomplete
              label="Move them to the group"
              description="One that there is, or a new name. They get its settings at once, in place of those of the group that they leave."
              value={isOut ? '' : name}
              disabled={isOut}
              maxLength={maxWordLength}
              data={(groups.data?.groups ?? []).map((group) => group.name)}
              onChange={(text) => setName(asWord(text))}
            />
            <Checkbox
              label="Out of any group"
              description="They keep their own settings and the fleet’s."
              checked={isOut}
              onChange={({ currentTarget }) => setOut(currentTarget.checked)}
            />
            <SaveFooter save={save} action="Move" problemTitle="Not moved" isDisabled={!isOut && name === ''} onClose={onClose} />
          </Stack>
        </form>
      ) : (
        <ChangedCount result={save.data} words={{ done: 'moved', others: 'the others were there already' }} onClose={onClose} />
      )}
    </Modal>
  );
}
