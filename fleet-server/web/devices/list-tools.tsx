/** By what the list of devices is narrowed down and in which order it stands. */
import { NativeSelect, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { groupsQuery, tagsQuery } from '../api/queries.ts';
import { AnySelect } from '../layout/any-select.tsx';
import classes from './devices-page.module.css';
import { type ListView, listOrders, maxSearchLength } from './list-view.ts';

type ListToolsProps = {
  readonly view: ListView;
  readonly onMatch: (change: { readonly [Key in 'search' | 'group' | 'tag']?: string | null }) => void;
  readonly onOrder: (order: ListView['order']) => void;
};

/** Between two letters; the server looks through all devices. */
const typingMs = 250;

function SearchField({ view, onMatch }: Pick<ListToolsProps, 'view' | 'onMatch'>) {
  const inForce = view.match.search ?? '';
  const [text, setText] = useState(inForce);
  const [asked, setAsked] = useState(inForce);
  const ask = useDebouncedCallback((search: string) => {
    setAsked(search);
    onMatch({ search });
  }, typingMs);
  // It was changed elsewhere: by the way back, or by "Show all devices".
  if (inForce !== asked) {
    setAsked(inForce);
    setText(inForce);
  }
  return (
    <TextInput
      className={classes['search']}
      type="search"
      placeholder="Name, group, tag, problem"
      aria-label="Search devices"
      leftSection={<IconSearch size={16} aria-hidden />}
      maxLength={maxSearchLength}
      value={text}
      onChange={({ currentTarget: { value } }) => {
        setText(value);
        ask(value);
      }}
    />
  );
}

type Counted = { readonly name: string; readonly deviceCount: number };

function withCount({ name, deviceCount }: Counted): { readonly value: string; readonly label: string } {
  return { value: name, label: `${name} (${deviceCount})` };
}

export function ListTools({ view, onMatch, onOrder }: ListToolsProps) {
  const groups = useQuery(groupsQuery);
  const tags = useQuery(tagsQuery);
  const groupChoices = (groups.data?.groups ?? []).filter(({ deviceCount }) => deviceCount > 0);
  const tagChoices = tags.data?.tags ?? [];
  return (
    <>
      <SearchField view={view} onMatch={onMatch} />
      {groupChoices.length > 0 && (
        <AnySelect
          label={{ unseen: 'Group' }}
          className={classes['choice']}
          any="Any group"
          value={view.match.group ?? ''}
          onChange={(group) => onMatch({ group })}
          data={groupChoices.map(withCount)}
        />
      )}
      {tagChoices.length > 0 && (
        <AnySelect
          label={{ unseen: 'Tag' }}
          className={classes['choice']}
          any="Any tag"
          value={view.match.tag ?? ''}
          onChange={(tag) => onMatch({ tag })}
          data={tagChoices.map(withCount)}
        />
      )}
      <NativeSelect
        aria-label="Order"
        className={classes['order']}
        value={view.order.name}
        onChange={({ currentTarget: { value } }) => onOrder(listOrders.find(({ name }) => name === value) ?? listOrders[0])}
        data={listOrders.map(({ name, words }) => ({ value: name, label: words }))}
      />
    </>
  );
}
