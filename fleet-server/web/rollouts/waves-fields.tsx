/** Who gets a change first, how it goes on from there, and when it stops by itself. */
import { Group, MultiSelect, NumberInput, SegmentedControl, Text, TextInput } from '@mantine/core';
import { maxCanaries, maxSoakMin, type NamedDevice, type PlanDraft, type PlanOfDraft } from './plan-draft.ts';

type WavesFieldsProps = {
  readonly draft: PlanDraft;
  readonly read: PlanOfDraft;
  /** Those that may be named as canaries. */
  readonly devices: readonly NamedDevice[];
  readonly onDraft: (draft: PlanDraft) => void;
};

export function WavesFields({ draft, read, devices, onDraft }: WavesFieldsProps) {
  const problems = read.kind === 'problems' ? read.problems : {};
  return (
    <>
      <Text size="sm" className="dim">
        Each wave begins when the one before has confirmed the change and stayed well. What fails halts it.
      </Text>
      <Group align="flex-end" gap="sm">
        <SegmentedControl<PlanDraft['canary']>
          aria-label="Canaries"
          value={draft.canary}
          onChange={(canary) => onDraft({ ...draft, canary })}
          data={[
            { value: 'count', label: 'So many canaries' },
            { value: 'devices', label: 'These canaries' },
          ]}
        />
        {draft.canary === 'count' ? (
          <NumberInput
            aria-label="How many canaries"
            w={110}
            min={0}
            max={maxCanaries}
            allowDecimal={false}
            value={draft.canaryCount}
            error={problems.canary}
            onChange={(canaryCount) => onDraft({ ...draft, canaryCount })}
          />
        ) : (
          <MultiSelect
            aria-label="Which canaries"
            flex={1}
            miw={180}
            searchable
            placeholder={draft.canaryIds.length === 0 ? 'Choose devices' : ''}
            data={devices.map(({ id, name }) => ({ value: id, label: name }))}
            value={[...draft.canaryIds]}
            error={problems.canary}
            onChange={(canaryIds) => onDraft({ ...draft, canaryIds })}
          />
        )}
      </Group>
      <TextInput
        label="Then to so many percent of the devices"
        value={draft.shares}
        error={problems.shares}
        onChange={(event) => onDraft({ ...draft, shares: event.currentTarget.value })}
      />
      <Group grow align="flex-start">
        <NumberInput
          label="Well for, minutes"
          min={0}
          max={maxSoakMin}
          allowDecimal={false}
          value={draft.soakMin}
          error={problems.soakMin}
          onChange={(soakMin) => onDraft({ ...draft, soakMin })}
        />
        <NumberInput
          label="Halt when more fail than, %"
          min={0}
          max={100}
          allowDecimal={false}
          value={draft.thresholdPercent}
          error={problems.thresholdPercent}
          onChange={(thresholdPercent) => onDraft({ ...draft, thresholdPercent })}
        />
      </Group>
    </>
  );
}
