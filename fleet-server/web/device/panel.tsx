/** A titled part of a page. */
import { Title } from '@mantine/core';
import { type ReactNode, useId } from 'react';
import classes from './device-page.module.css';

type PanelProps = { readonly title: string; readonly aside?: ReactNode; readonly children: ReactNode };

export function Panel({ title, aside, children }: PanelProps) {
  const id = useId();
  return (
    <section className="panel" aria-labelledby={id}>
      <div className={classes['panelTitle']}>
        <Title order={2} size="h5" id={id}>
          {title}
        </Title>
        {aside}
      </div>
      {children}
    </section>
  );
}

type Fact = { readonly name: string; readonly value: ReactNode; readonly title?: string };

/** Names and values; facts that are not known are left out. */
export function Facts({ facts }: { readonly facts: readonly Fact[] }) {
  return (
    <dl className={classes['facts']}>
      {facts
        .filter(({ value }) => value !== null && value !== undefined && value !== '')
        .map(({ name, value, title }) => (
          <div key={name} title={title}>
            <dt>{name}</dt>
            <dd className="figure">{value}</dd>
          </div>
        ))}
    </dl>
  );
}
