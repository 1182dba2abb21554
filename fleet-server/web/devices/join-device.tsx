/** Lets another device in. */
import { Modal, Stack } from '@mantine/core';
import { JoinForm } from './join-form.tsx';
import { JoinTokens } from './join-tokens.tsx';

export function JoinDevice({ isOpen, onClose }: { readonly isOpen: boolean; readonly onClose: () => void }) {
  return (
    <Modal opened={isOpen} onClose={onClose} title="Add a device" size="lg" centered>
      <Stack gap="lg">
        <JoinForm />
        <JoinTokens />
      </Stack>
    </Modal>
  );
}
