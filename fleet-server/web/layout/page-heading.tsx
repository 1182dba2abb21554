/** The top of a page: what it is, one sentence about it, and what can be begun here. */
import { Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './layout.module.css';

type PageHeadingProps = { readonly title: string; readonly words?: ReactNode; readonly children?: ReactNode };

export function PageHeading({ title, words, children }: PageHeadingProps) {
  return (
    <div className={classes['pageHeading']}>
      <div>
        <Title order={1} size="h2">
          {title}
        </Title>
        {words !== undefined && (
          <Text className="dim" mt={4} maw={720}>
            {words}
          </Text>
        )}
      </div>
      {children}
    </div>
  );
}
