/** The device's name, group and tags, shutting it out, and taking it out of the fleet. */
import { ActionIcon, Autocomplete, Button, Group, Menu, Modal, Stack, TagsInput, Text, TextInput } from '@mantine/core';
import { IconBan, IconDots, IconPencil, IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useLocation } from 'wouter';
import { DeviceDetail, type DevicePatch } from '#protocol/model/device.ts';
import { pathOf, remove, send } from '../api/api.ts';
import { groupsQuery } from '../api/queries.ts';
import { queryKeys } from '../api/query-keys.ts';
import { asWord, asWords, maxTags, maxWordLength } from '../devices/group-words.ts';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { useMay } from '../session/person.tsx';
import { BlockDialog } from './access-controls.tsx';

type DialogProps = { readonly device: DeviceDetail; readonly onClose: () => void };

function EditForm({ device, onClose }: DialogProps) {
  const client = useQueryClient();
  const [name, setName] = useState(device.name);
  const [group, setGroup] = useState(device.group ?? '');
  const [tags, setTags] = useState<readonly string[]>(device.tags);
  const groups = useQuery(groupsQuery);
  const save = useMutation({
    mutationFn: (patch: DevicePatch) => send('PATCH', pathOf('devices', device.id), patch, DeviceDetail),
    onSuccess: (changed) => {
      client.setQueryData(queryKeys.device(device.id), changed);
      // Another group sets other things.
      void client.invalidateQueries({ queryKey: queryKeys.settings(device.id) });
      void client.invalidateQueries({ queryKey: queryKeys.groups });
      void client.invalidateQueries({ queryKey: queryKeys.tags });
      onClose();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save.mutate({ name: name.trim(), group: group === '' ? null : group, tags: [...tags] });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label="Name" value={name} maxLength={80} onChange={(event) => setName(event.currentTarget.value)} data-autofocus />
        <Autocomplete
          label="Group"
          description="Devices of a group share its settings. Leave it empty for none."
          value={group}
          maxLength={maxWordLength}
          data={(groups.data?.groups ?? []).map(({ name: ofGroup }) => ofGroup)}
          onChange={(text) => setGroup(asWord(text))}
        />
        <TagsInput
          label="Tags"
          description="Words by which devices are found; they change nothing on the device."
          placeholder={tags.length === 0 ? 'Such as upstairs, then Enter' : ''}
          value={[...tags]}
          maxTags={maxTags}
          maxLength={maxWordLength}
          acceptValueOnBlur
          onChange={(words) => setTags(asWords(words))}
        />
        {save.isError && <ProblemAlert title="Not saved" error={save.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending} disabled={name.trim() === ''}>
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function RemoveDialog({ device, onClose }: DialogProps) {
  const client = useQueryClient();
  const [, goTo] = useLocation();
  const removal = useMutation({
    mutationFn: () => remove(pathOf('devices', device.id)),
    onSuccess: () => {
      client.removeQueries({ queryKey: queryKeys.device(device.id) });
      void client.invalidateQueries({ queryKey: queryKeys.devices });
      goTo('/');
    },
  });
  return (
    <Stack>
      <Text size="sm">
        Its credential and its stream key are worth nothing from then on, and its history is gone. It can join again with a new token.
      </Text>
      {removal.isError && <ProblemAlert title="Not removed" error={removal.error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose} data-autofocus>
          Cancel
        </Button>
        <Button color="red" loading={removal.isPending} onClick={() => removal.mutate()}>
          Remove from the fleet
        </Button>
      </Group>
    </Stack>
  );
}

export function DeviceMenu({ device }: { readonly device: DeviceDetail }) {
  const isAdmin = useMay('admin');
  const [dialog, setDialog] = useState<'edit' | 'block' | 'remove' | null>(null);
  const close = (): void => setDialog(null);
  return (
    <>
      <Menu position="bottom-start">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label="Change or remove the device">
            <IconDots size={19} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => setDialog('edit')}>
            Name, group and tags
          </Menu.Item>
          {device.blockedSince === null && (
            <Menu.Item leftSection={<IconBan size={16} aria-hidden />} onClick={() => setDialog('block')}>
              Block
            </Menu.Item>
          )}
          {isAdmin && (
            <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => setDialog('remove')}>
              Remove from the fleet
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <Modal opened={dialog === 'edit'} onClose={close} title="Name, group and tags" centered>
        <EditForm device={device} onClose={close} />
      </Modal>
      {dialog === 'block' && <BlockDialog device={device} onClose={close} />}
      <Modal opened={dialog === 'remove'} onClose={close} title={`Remove ${device.name}?`} centered>
        <RemoveDialog device={device} onClose={close} />
      </Modal>
    </>
  );
}
