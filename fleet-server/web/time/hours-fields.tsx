/** From which hour to which, and in which time zone: three fields beside each other. */
import { TextInput } from '@mantine/core';

/** Hours as HH:MM; empty: nothing was typed yet. */
export type Hours = { readonly from: string; readonly to: string; readonly timeZone: string };

type HoursFieldsProps = {
  readonly hours: Hours;
  readonly problems: { readonly from?: string | undefined; readonly timeZone?: string | undefined };
  readonly onChange: (part: Partial<Hours>) => void;
};

export function HoursFields({ hours: { from, to, timeZone }, problems, onChange }: HoursFieldsProps) {
  return (
    <>
      <TextInput
        type="time"
        label="From"
        value={from}
        error={problems.from}
        onChange={(event) => onChange({ from: event.currentTarget.value })}
      />
      <TextInput
        type="time"
        label="To"
        description={to !== '' && to <= from ? 'On the next day.' : undefined}
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        value={to}
        onChange={(event) => onChange({ to: event.currentTarget.value })}
      />
      <TextInput
        label="Time zone"
        maxLength={64}
        value={timeZone}
        error={problems.timeZone}
        onChange={(event) => onChange({ timeZone: event.currentTarget.value.trim() })}
      />
    </>
  );
}
