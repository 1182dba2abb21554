/** The end of a form in a dialog: why it was not saved, and the way out with or without saving. */
import { Button, Group } from '@mantine/core';
import { ProblemAlert } from './problem-alert.tsx';

type SaveFooterProps = {
  /** As the form's mutation has it. */
  readonly save: { readonly isPending: boolean; readonly isError: boolean; readonly error: Error | null };
  readonly onClose: () => void;
};

export function SaveFooter({ save, onClose }: SaveFooterProps) {
  return (
    <>
      {save.isError && <ProblemAlert title="Not saved" error={save.error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={save.isPending}>
          Save
        </Button>
      </Group>
    </>
  );
}
