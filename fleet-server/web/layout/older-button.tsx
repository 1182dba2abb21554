/** The way to what is older, under a list that begins with the newest. */
import { Button } from '@mantine/core';

type OlderButtonProps = {
  /** As the list's query has it. */
  readonly list: { readonly hasNextPage: boolean; readonly isFetchingNextPage: boolean; fetchNextPage(): Promise<unknown> };
};

/** Nothing where there is nothing older. */
export function OlderButton({ list }: OlderButtonProps) {
  if (!list.hasNextPage) return null;
  return (
    <Button variant="subtle" size="compact-sm" mt="xs" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
      Show older ones
    </Button>
  );
}
