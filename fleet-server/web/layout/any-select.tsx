/** One of several, or whichever: none is chosen then, and the value is empty. */
import { type ComboboxData, Select } from '@mantine/core';

type AnySelectProps = {
  /** Seen above it, or only told to those who do not see it. */
  readonly label: string | { readonly unseen: string };
  /** What stands there while none is chosen. */
  readonly any: string;
  readonly value: string;
  readonly data: ComboboxData;
  readonly className?: string | undefined;
  readonly onChange: (value: string) => void;
};

export function AnySelect({ label, any, value, data, className, onChange }: AnySelectProps) {
  return (
    <Select
      {...(typeof label === 'string' ? { label } : { 'aria-label': label.unseen })}
      className={className}
      placeholder={any}
      clearable
      searchable
      value={value === '' ? null : value}
      data={data}
      onChange={(chosen) => onChange(chosen ?? '')}
    />
  );
}
