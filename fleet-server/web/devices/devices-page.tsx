/** All devices, worst first. */
import { Button, Checkbox, EmptyState, SegmentedControl, Select, Skeleton, TextInput, Title, VisuallyHidden } from '@mantine/core';
import { useDisclosure, useLocalStorage } from '@mantine/hooks';
import { IconLayoutGrid, IconListCheck, IconPlus, IconSearch, IconSearchOff, IconTable } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo, useState } from 'react';
import type { DeviceSummary } from '#protocol/model/device.ts';
import { devicesQuery } from '../api/queries.ts';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { useTitle } from '../layout/use-title.ts';
import { useMay } from '../session/person.tsx';
import { Announcer } from '../status/announcer.tsx';
import type { StreamKind } from '../status/stream-words.ts';
import cardClasses from './device-card.module.css';
import { DeviceCard } from './device-card.tsx';
import { DeviceTable } from './device-table.tsx';
import classes from './devices-page.module.css';
import { EmptyFleet } from './empty-fleet.tsx';
import { JoinDevice } from './join-device.tsx';
import { Newcomers } from './newcomers.tsx';
import { countsByKind, countsByTag, matches, worstFirst } from './order.ts';
import { SelectionBar } from './selection-bar.tsx';
import { StateCounts } from './state-counts.tsx';

const skeletons = ['a', 'b', 'c', 'd', 'e', 'f'] as const;

const views = [
  { value: 'cards', words: 'Cards', Icon: IconLayoutGrid },
  { value: 'table', words: 'Table', Icon: IconTable },
] as const;
type View = (typeof views)[number]['value'];

type TickProps = {
  readonly device: DeviceSummary;
  readonly ticked: ReadonlySet<string>;
  readonly onTicked: (ticked: ReadonlySet<string>) => void;
};

function Tick({ device: { id, name }, ticked, onTicked }: TickProps) {
  return (
    <Checkbox
      aria-label={`Select ${name}`}
      checked={ticked.has(id)}
      onChange={({ currentTarget: { checked } }) => onTicked(new Set(checked ? [...ticked, id] : [...ticked].filter((one) => one !== id)))}
    />
  );
}

export function DevicesPage() {
  const devices = useQuery(devicesQuery);
  const isAdmin = useMay('admin');
  const isOperator = useMay('operator');
  const [view, setView] = useLocalStorage<View>({ key: 'msl-devices-view', defaultValue: 'cards', getInitialValueInEffect: false });
  const [text, setText] = useState('');
  const [kind, setKind] = useState<StreamKind | null>(null);
  const [tag, setTag] = useState<string | null>(null);
  /** Null: nobody selects. */
  const [ticked, setTicked] = useState<ReadonlySet<string> | null>(null);
  const [isJoining, joining] = useDisclosure(false);
  useTitle('Devices');

  const all = useMemo(() => worstFirst(devices.data ?? []), [devices.data]);
  const counts = useMemo(() => countsByKind(all), [all]);
  const tags = useMemo(() => countsByTag(all), [all]);
  // A state that no device is in any more has no button to leave it by, and a tag that none has is not in the list.
  const chosen = counts.some((count) => count.kind === kind) ? kind : null;
  const chosenTag = tags.some((count) => count.tag === tag) ? tag : null;
  const shown = useMemo(
    () => all.filter((device) => matches(device, { text, kind: chosen, tag: chosenTag })),
    [all, text, chosen, chosenTag],
  );
  const tickOf =
    ticked === null ? null : (device: DeviceSummary): ReactNode => <Tick device={device} ticked={ticked} onTicked={setTicked} />;

  if (devices.data === undefined) {
    return devices.isError ? (
      <ProblemAlert title="The devices cannot be read" error={devices.error} onRetry={() => void devices.refetch()} />
    ) : (
      <div aria-busy="true">
        <Title order={1} size="h2" mb="md">
          Devices
        </Title>
        <div className={cardClasses['grid']}>
          {skeletons.map((key) => (
            <Skeleton key={key} h={330} radius={14} />
          ))}
        </div>
      </div>
    );
  }

  return (
    <>
      <Announcer devices={all} />
      <div className={classes['top']}>
        <Title order={1} size="h2">
          Devices
        </Title>
        {all.length > 0 && (
          <div className={classes['tools']}>
            <TextInput
              className={classes['search']}
              type="search"
              placeholder="Name, group, tag, problem"
              aria-label="Search devices"
              leftSection={<IconSearch size={16} aria-hidden />}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
            />
            {tags.length > 0 && (
              <Select
                aria-label="Tag"
                w={150}
                clearable
                searchable
                placeholder="Any tag"
                value={chosenTag}
                onChange={setTag}
                data={tags.map(({ tag: word, count }) => ({ value: word, label: `${word} (${count})` }))}
              />
            )}
            {isOperator && (
              <Button
                variant="default"
                leftSection={<IconListCheck size={16} aria-hidden />}
                aria-pressed={ticked !== null}
                onClick={() => setTicked(ticked === null ? new Set() : null)}
              >
                Select
              </Button>
            )}
            <SegmentedControl
              aria-label="Show as"
              value={view}
              onChange={setView}
              data={views.map(({ value, words, Icon }) => ({
                value,
                label: (
                  <>
                    <Icon size={17} aria-hidden style={{ display: 'block' }} />
                    <VisuallyHidden>{words}</VisuallyHidden>
                  </>
                ),
              }))}
            />
          </div>
        )}
        {isAdmin && all.length > 0 && (
          <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={joining.open}>
            Add a device
          </Button>
        )}
      </div>
      <Newcomers devices={all} />
      {all.length > 0 && <StateCounts counts={counts} total={all.length} chosen={chosen} onChoose={setKind} />}
      {all.length === 0 && <EmptyFleet />}
      {all.length > 0 && shown.length === 0 && (
        <EmptyState
          icon={<IconSearchOff aria-hidden />}
          title="No device matches"
          description="Another word, or all states, may find it."
          mt={60}
        >
          <Button
            variant="light"
            onClick={() => {
              setText('');
              setKind(null);
              setTag(null);
            }}
          >
            Show all devices
          </Button>
        </EmptyState>
      )}
      {shown.length > 0 &&
        (view === 'table' ? (
          <DeviceTable devices={shown} tickOf={tickOf} />
        ) : (
          <div className={cardClasses['grid']}>
            {shown.map((device) => (
              <DeviceCard key={device.id} device={device} tick={tickOf?.(device)} />
            ))}
          </div>
        ))}
      {ticked !== null && (
        <SelectionBar
          selected={shown.filter(({ id }) => ticked.has(id))}
          shownCount={shown.length}
          onAll={() => setTicked(new Set(shown.map(({ id }) => id)))}
          onNone={() => setTicked(new Set())}
          onEnd={() => setTicked(null)}
        />
      )}
      {isAdmin && <JoinDevice isOpen={isJoining} onClose={joining.close} />}
    </>
  );
}
