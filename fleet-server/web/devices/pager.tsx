/** Which devices of how many are shown, and the way to the others. */
import { Pagination, Text } from '@mantine/core';
import classes from './devices-page.module.css';
import { pageCount } from './list-view.ts';

type PagerProps = {
  readonly page: number;
  readonly before: number;
  readonly shown: number;
  readonly total: number;
  readonly onPage: (page: number) => void;
};

export function Pager({ page, before, shown, total, onPage }: PagerProps) {
  const pages = pageCount(total);
  if (pages === 1) return null;
  return (
    <nav className={classes['pager']} aria-label="Pages of devices">
      <Text className="dim" size="sm" role="status">
        {`${before + 1} to ${before + shown} of ${total}`}
      </Text>
      <Pagination
        size="sm"
        total={pages}
        value={page}
        onChange={onPage}
        siblings={1}
        withEdges={false}
        getItemProps={(item) => ({ 'aria-label': `Page ${item}` })}
        getControlProps={(control) => ({ 'aria-label': control === 'next' ? 'Next page' : 'Previous page' })}
      />
    </nav>
  );
}
