/** What became of a change to the devices that were chosen. */
import { Button, Group, Stack, Text } from '@mantine/core';

type ChangedCountProps = {
  readonly result: { readonly selected: number; readonly changed: number };
  /** What was done to those that changed, and how it was with the others. */
  readonly words: { readonly done: string; readonly others: string };
  readonly onClose: () => void;
};

export function ChangedCount({ result: { selected, changed }, words, onClose }: ChangedCountProps) {
  return (
    <Stack>
      <Text role="status">
        {`${changed} of ${selected} ${words.done}`}
        {changed < selected ? `; ${words.others}.` : '.'}
      </Text>
      <Group justify="flex-end">
        <Button onClick={onClose}>Close</Button>
      </Group>
    </Stack>
  );
}
