/** What a change would do, read a page of devices at a time, and shown. */
import { Skeleton } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { SettingsPreview } from '#protocol/model/settings.ts';
import { send } from '../api/api.ts';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { PreviewPanel } from './preview-panel.tsx';

/** Devices shown at once, and more at a time. */
const previewedFirst = 20;
const previewedFurther = 200;

export type ReadPreview = ReturnType<typeof useSettingsPreview>;

/** `path`: of the API's answer to `body`. */
export function useSettingsPreview(path: string, body: object) {
  const query = useInfiniteQuery({
    queryKey: ['settings-preview', path, body],
    queryFn: ({ pageParam }) => send('POST', `${path}?${pageParam}`, body, SettingsPreview),
    initialPageParam: `limit=${previewedFirst}`,
    getNextPageParam: ({ next }) => (next === null ? null : `limit=${previewedFurther}&skip=${next}`),
    gcTime: 0,
  });
  return {
    query,
    // Each answer counts anew: the newest count is shown.
    newest: query.data?.pages.at(-1),
    devices: query.data?.pages.flatMap(({ devices }) => devices) ?? [],
  };
}

export function ShownPreview({ preview: { query, newest, devices } }: { readonly preview: ReadPreview }) {
  return (
    <>
      {query.isPending && <Skeleton h={120} />}
      {query.isError && (
        <ProblemAlert
          title={newest === undefined ? 'What it would change is not known' : 'The other devices cannot be read'}
          error={query.error}
        />
      )}
      {newest !== undefined && (
        <PreviewPanel
          preview={{ ...newest, devices }}
          isReadingMore={query.isFetchingNextPage}
          onMore={query.hasNextPage ? () => void query.fetchNextPage() : null}
        />
      )}
    </>
  );
}
