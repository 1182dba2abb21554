/** The device's name and group, and taking it out of the fleet. */
import { ActionIcon, Button, Group, Menu, Modal, Stack, Text, TextInput } from '@mantine/core';
import { IconDots, IconPencil, IconTrash } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useLocation } from 'wouter';
import { DeviceDetail, type DevicePatch } from '#protocol/model/device.ts';
import { pathOf, remove, send } from '../api/api.ts';
import { queryKeys } from '../api/query-keys.ts';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { useMay } from '../session/person.tsx';

type DialogProps = { readonly device: DeviceDetail; readonly onClose: () => void };

function EditForm({ device, onClose }: DialogProps) {
  const client = useQueryClient();
  const [name, setName] = useState(device.name);
  const [group, setGroup] = useState(device.group ?? '');
  const save = useMutation({
    mutationFn: (patch: DevicePatch) => send('PATCH', pathOf('devices', device.id), patch, DeviceDetail),
    onSuccess: (changed) => {
      client.setQueryData(queryKeys.device(device.id), changed);
      onClose();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save.mutate({ name: name.trim(), group: group === '' ? null : group });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label="Name" value={name} maxLength={80} onChange={(event) => setName(event.currentTarget.value)} data-autofocus />
        <TextInput
          label="Group"
          description="Devices of a group share its settings. Leave it empty for none."
          value={group}
          maxLength={40}
          onChange={(event) => setGroup(event.currentTarget.value.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-'))}
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
  const [dialog, setDialog] = useState<'edit' | 'remove' | null>(null);
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
            Name and group
          </Menu.Item>
          {isAdmin && (
            <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => setDialog('remove')}>
              Remove from the fleet
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <Modal opened={dialog === 'edit'} onClose={close} title="Name and group" centered>
        <EditForm device={device} onClose={close} />
      </Modal>
      <Modal opened={dialog === 'remove'} onClose={close} title={`Remove ${device.name}?`} centered>
        <RemoveDialog device={device} onClose={close} />
      </Modal>
    </>
  );
}
