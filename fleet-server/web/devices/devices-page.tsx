/** The devices of the fleet, a page at a time: the server counts, looks and puts them in order. */
import { Button, Checkbox, EmptyState, SegmentedControl, Skeleton, Title, VisuallyHidden } from '@mantine/core';
import { useDisclosure, useLocalStorage } from '@mantine/hooks';
import { IconLayoutGrid, IconListCheck, IconPlus, IconSearchOff, IconTable } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { useSearchParams } from 'wouter';
import type { DeviceSummary } from '#protocol/model/device.ts';
import { devicesPageQuery } from '../api/queries.ts';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { useTitle } from '../layout/use-title.ts';
import { useMay } from '../session/person.tsx';
import { Announcer } from '../status/announcer.tsx';
import cardClasses from './device-card.module.css';
import { DeviceCard } from './device-card.tsx';
import { DeviceTable } from './device-table.tsx';
import classes from './devices-page.module.css';
import { EmptyFleet } from './empty-fleet.tsx';
import { JoinDevice } from './join-device.tsx';
import { ListTools } from './list-tools.tsx';
import { isFiltered, type ListView, pageCount, readView, writeView } from './list-view.ts';
import { Newcomers } from './newcomers.tsx';
import { Pager } from './pager.tsx';
import { isTicked, noneTicked, type Selection, whileMatching, withTick } from './selection.ts';
import { SelectionBar } from './selection-bar.tsx';
import { StateCounts } from './state-counts.tsx';

const skeletons = ['a', 'b', 'c', 'd', 'e', 'f'] as const;

const looks = [
  { value: 'cards', words: 'Cards', Icon: IconLayoutGrid },
  { value: 'table', words: 'Table', Icon: IconTable },
] as const;
type Look = (typeof looks)[number]['value'];

/** What is shown, and how it is changed: another choice begins at its first page. */
function useListView() {
  const [address, setAddress] = useSearchParams();
  const view = readView(address);
  const show = (next: ListView): void => setAddress(writeView(next), { replace: true });
  const match = (change: { readonly [Key in keyof ListView['match']]?: ListView['match'][Key] | null }): void => {
    const all = Object.entries({ ...view.match, ...change }).filter(([, value]) => value !== null && value !== '');
    show({ ...view, match: Object.fromEntries(all), page: 1 });
  };
  return { view, show, match };
}

function Waiting() {
  return (
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

type DevicesProps = {
  readonly devices: readonly DeviceSummary[];
  readonly look: Look;
  readonly tickOf: ((device: DeviceSummary) => ReactNode) | null;
};

function Devices({ devices, look, tickOf }: DevicesProps) {
  if (look === 'table') return <DeviceTable devices={devices} tickOf={tickOf} />;
  return (
    <div className={cardClasses['grid']}>
      {devices.map((device) => (
        <DeviceCard key={device.id} device={device} tick={tickOf?.(device)} />
      ))}
    </div>
  );
}

export function DevicesPage() {
  const { view, show, match } = useListView();
  const list = useQuery(devicesPageQuery(view));
  const isAdmin = useMay('admin');
  const isOperator = useMay('operator');
  const [look, setLook] = useLocalStorage<Look>({ key: 'msl-devices-view', defaultValue: 'cards', getInitialValueInEffect: false });
  /** Null: nobody selects. */
  const [chosen, setChosen] = useState<Selection | null>(null);
  const [isJoining, joining] = useDisclosure(false);
  useTitle('Devices');

  // Devices that were on the last page may be gone.
  const pages = list.isPlaceholderData || list.data === undefined ? view.page : pageCount(list.data.total);
  const isBeyond = view.page > pages;
  useEffect(() => {
    if (isBeyond) show({ ...view, page: pages });
  });

  if (list.data === undefined) {
    if (!list.isError) return <Waiting />;
    return <ProblemAlert title="The devices cannot be read" error={list.error} onRetry={() => void list.refetch()} />;
  }
  const { devices, total, before } = list.data;
  const hasDevices = total > 0 || isFiltered(view);
  const selection = chosen === null ? null : whileMatching(chosen, view.match);
  const tickOf =
    selection === null
      ? null
      : (device: DeviceSummary): ReactNode => (
          <Checkbox
            aria-label={`Select ${device.name}`}
            checked={isTicked(selection, device.id)}
            onChange={({ currentTarget: { checked } }) => setChosen(withTick(selection, device, checked, devices))}
          />
        );
  return (
    <>
      <Announcer devices={devices} />
      <div className={classes['top']}>
        <Title order={1} size="h2">
          Devices
        </Title>
        {hasDevices && (
          <div className={classes['tools']}>
            <ListTools view={view} onMatch={match} onOrder={(order) => show({ ...view, order, page: 1 })} />
            {isOperator && (
              <Button
                variant="default"
                leftSection={<IconListCheck size={16} aria-hidden />}
                aria-pressed={chosen !== null}
                onClick={() => setChosen(chosen === null ? noneTicked : null)}
              >
                Select
              </Button>
            )}
            <SegmentedControl
              aria-label="Show as"
              value={look}
              onChange={setLook}
              data={looks.map(({ value, words, Icon }) => ({
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
        {isAdmin && hasDevices && (
          <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={joining.open}>
            Add a device
          </Button>
        )}
      </div>
      <Newcomers />
      {hasDevices ? (
        <StateCounts counts={list.data} match={view.match} onChoose={({ state = null, blocked = null }) => match({ state, blocked })} />
      ) : (
        <EmptyFleet />
      )}
      {list.isError && <ProblemAlert title="What is shown may be old" error={list.error} onRetry={() => void list.refetch()} />}
      {hasDevices && devices.length === 0 && !isBeyond && (
        <EmptyState
          icon={<IconSearchOff aria-hidden />}
          title="No device matches"
          description="Another word, or all states, may find it."
          mt={60}
        >
          <Button variant="light" onClick={() => show({ ...view, match: {}, page: 1 })}>
            Show all devices
          </Button>
        </EmptyState>
      )}
      {devices.length > 0 && <Devices devices={devices} look={look} tickOf={tickOf} />}
      {devices.length > 0 && (
        <Pager page={view.page} before={before} shown={devices.length} total={total} onPage={(page) => show({ ...view, page })} />
      )}
      {selection !== null && (
        <SelectionBar
          selection={selection}
          shown={devices}
          total={total}
          match={view.match}
          onSelection={setChosen}
          onEnd={() => setChosen(null)}
        />
      )}
      {isAdmin && <JoinDevice isOpen={isJoining} onClose={joining.close} />}
    </>
  );
}
