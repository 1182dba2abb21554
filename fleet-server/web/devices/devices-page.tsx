/** All devices, worst first. */
import { Button, EmptyState, SegmentedControl, Skeleton, TextInput, Title, VisuallyHidden } from '@mantine/core';
import { useDisclosure, useLocalStorage } from '@mantine/hooks';
import { IconLayoutGrid, IconPlus, IconSearch, IconSearchOff, IconTable } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
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
import { countsByKind, matches, worstFirst } from './order.ts';
import { StateCounts } from './state-counts.tsx';

const skeletons = ['a', 'b', 'c', 'd', 'e', 'f'] as const;

const views = [
  { value: 'cards', words: 'Cards', Icon: IconLayoutGrid },
  { value: 'table', words: 'Table', Icon: IconTable },
] as const;
type View = (typeof views)[number]['value'];

export function DevicesPage() {
  const devices = useQuery(devicesQuery);
  const isAdmin = useMay('admin');
  const [view, setView] = useLocalStorage<View>({ key: 'msl-devices-view', defaultValue: 'cards', getInitialValueInEffect: false });
  const [text, setText] = useState('');
  const [kind, setKind] = useState<StreamKind | null>(null);
  const [isJoining, joining] = useDisclosure(false);
  useTitle('Devices');

  const all = useMemo(() => worstFirst(devices.data ?? []), [devices.data]);
  const counts = useMemo(() => countsByKind(all), [all]);
  // A state that no device is in any more has no button to leave it by.
  const chosen = counts.some((count) => count.kind === kind) ? kind : null;
  const shown = useMemo(() => all.filter((device) => matches(device, { text, kind: chosen })), [all, text, chosen]);

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
              placeholder="Name, group, camera, problem"
              aria-label="Search devices"
              leftSection={<IconSearch size={16} aria-hidden />}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
            />
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
            }}
          >
            Show all devices
          </Button>
        </EmptyState>
      )}
      {shown.length > 0 &&
        (view === 'table' ? (
          <DeviceTable devices={shown} />
        ) : (
          <div className={cardClasses['grid']}>
            {shown.map((device) => (
              <DeviceCard key={device.id} device={device} />
            ))}
          </div>
        ))}
      {isAdmin && <JoinDevice isOpen={isJoining} onClose={joining.close} />}
    </>
  );
}
