/** Another name for a group, and for all that is kept under it. */
import { Button, Modal, Stack, Text, TextInput } from '@mantine/core';
import { IconPencil } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useLocation } from 'wouter';
import { RenamedGroup } from '#protocol/model/device.ts';
import { pathOf, send } from '../api/api.ts';
import { asWord, maxWordLength } from '../devices/group-words.ts';
import { SaveFooter } from '../layout/save-footer.tsx';

type RenameDialogProps = { readonly group: string; readonly onClose: () => void };

function RenameDialog({ group, onClose }: RenameDialogProps) {
  const client = useQueryClient();
  const [, goTo] = useLocation();
  const [name, setName] = useState(group);
  const renaming = useMutation({
    mutationFn: () => send('PATCH', pathOf('groups', group), { name }, RenamedGroup),
    onSuccess: async (renamed) => {
      // Nearly every page says the name of a group somewhere.
      await client.invalidateQueries();
      goTo(`/settings/${renamed.name}`, { replace: true });
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    renaming.mutate();
  };
  return (
    <Modal opened onClose={onClose} title={`Rename group ${group}`} centered>
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="New name"
            description="Letters, digits and hyphens."
            value={name}
            maxLength={maxWordLength}
            onChange={({ currentTarget }) => setName(asWord(currentTarget.value))}
            data-autofocus
          />
          <Text size="sm">
            Its devices, settings with their revisions, roll-outs, maintenance windows, alert rules, join tokens and its policy of the
            watchdog go with it. Nothing changes on the devices.
          </Text>
          <SaveFooter
            save={renaming}
            action="Rename"
            problemTitle="Not renamed"
            isDisabled={name === '' || name === group}
            onClose={onClose}
          />
        </Stack>
      </form>
    </Modal>
  );
}

export function RenameGroup({ group }: { readonly group: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button variant="default" leftSection={<IconPencil size={16} aria-hidden />} onClick={() => setOpen(true)}>
        Rename
      </Button>
      {isOpen && <RenameDialog group={group} onClose={() => setOpen(false)} />}
    </>
  );
}
