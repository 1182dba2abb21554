/** One device of the fleet, found by typing: the server looks. */
import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { deviceChoicesQuery, deviceQuery } from '../api/queries.ts';

type DeviceSelectProps = {
  readonly value: string;
  readonly error: string | undefined;
  readonly onChange: (deviceId: string) => void;
};

const typingMs = 250;

export function DeviceSelect({ value, error, onChange }: DeviceSelectProps) {
  const [typed, setTyped] = useState('');
  const [search] = useDebouncedValue(typed, typingMs);
  const found = useQuery(deviceChoicesQuery(search));
  const chosen = useQuery({ ...deviceQuery(value), enabled: value !== '' });
  const devices = [...(chosen.data === undefined ? [] : [chosen.data]), ...(found.data?.devices ?? []).filter(({ id }) => id !== value)];
  return (
    <Select
      label="Device"
      placeholder="Type its name"
      searchable
      value={value === '' ? null : value}
      error={error}
      onChange={(id) => onChange(id ?? '')}
      onSearchChange={setTyped}
      // The server has looked already.
      filter={({ options }) => options}
      nothingFoundMessage={found.isFetching ? 'Looking…' : 'No such device'}
      data={devices.map(({ id, name }) => ({ value: id, label: name }))}
    />
  );
}
