/** The end of a form in a dialog: why it was not saved, and the way out with or without saving. */
import { Button, Group } from '@mantine/core';
import { ProblemAlert } from './problem-alert.tsx';

type SaveFooterProps = {
  /** As the form's mutation has it. */
  readonly save: { readonly isPending: boolean; readonly isError: boolean; readonly error: Error | null };
  /** What the button says, and what was not done when it could not be. */
  readonly action?: string;
  readonly problemTitle?: string;
  /** There is nothing to save yet. */
  readonly isDisabled?: boolean;
  readonly onClose: () => void;
};

export function SaveFooter({ save, action = 'Save', problemTitle = 'Not saved', isDisabled = false, onClose }: SaveFooterProps) {
  return (
    <>
      {save.isError && <ProblemAlert title={problemTitle} error={save.error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={save.isPending} disabled={isDisabled}>
          {action}
        </Button>
      </Group>
    </>
  );
}
