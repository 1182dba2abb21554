/** Asks before something is done that is not undone, and stays open with the reason when it could not be done. */
import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ProblemAlert } from './problem-alert.tsx';

type ConfirmProps = {
  readonly title: string;
  readonly words: ReactNode;
  /** What the button says, and what could not be done when it could not. */
  readonly action: string;
  readonly problemTitle: string;
  readonly isGrave?: boolean;
  readonly act: () => Promise<unknown>;
  readonly onClose: () => void;
};

/** Drawn only while it is open. */
export function Confirm({ title, words, action, problemTitle, isGrave = true, act, onClose }: ConfirmProps) {
  const doing = useMutation({ mutationFn: act, onSuccess: onClose });
  return (
    <Modal opened onClose={onClose} title={title} centered>
      <Stack>
        <Text size="sm" component="div">
          {words}
        </Text>
        {doing.isError && <ProblemAlert title={problemTitle} error={doing.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            Cancel
          </Button>
          <Button {...(isGrave ? { color: 'red' } : {})} loading={doing.isPending} onClick={() => doing.mutate()}>
            {action}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
