/** Devices that joined with a token that asks for approval, and wait for a person to let them in. */
import { Anchor, Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import type { DeviceSummary } from '#protocol/model/device.ts';
import type { ApprovalDecision } from '#protocol/model/enrolment.ts';
import { act, pathOf } from '../api/api.ts';
import { newcomersQuery } from '../api/queries.ts';
import { queryKeys } from '../api/query-keys.ts';
import { Panel } from '../device/panel.tsx';
import { Confirm } from '../layout/confirm.tsx';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import rows from '../layout/rows.module.css';
import { useMay } from '../session/person.tsx';
import { Ago } from '../time/times.tsx';
import classes from './devices-page.module.css';

/** What an operator can say of a device that waits. */
export function ApprovalButtons({ device: { id, name } }: { readonly device: Pick<DeviceSummary, 'id' | 'name'> }) {
  const client = useQueryClient();
  const [isRefusing, setRefusing] = useState(false);
  const decide = async (decision: ApprovalDecision['decision']): Promise<void> => {
    await act(pathOf('devices', id, 'approval'), { body: { decision } });
    await Promise.all([
      client.invalidateQueries({ queryKey: queryKeys.devices }),
      client.invalidateQueries({ queryKey: queryKeys.device(id) }),
    ]);
  };
  const letIn = useMutation({ mutationFn: () => decide('approve') });
  return (
    <>
      <div className={rows['actions']}>
        <Button size="compact-sm" aria-label={`Let ${name} in`} loading={letIn.isPending} onClick={() => letIn.mutate()}>
          Let in
        </Button>
        <Button size="compact-sm" variant="subtle" color="red" aria-label={`Turn ${name} away`} onClick={() => setRefusing(true)}>
          Turn away
        </Button>
      </div>
      {letIn.isError && <ProblemAlert title="Not let in" error={letIn.error} />}
      {isRefusing && (
        <Confirm
          title={`Turn ${name} away?`}
          words="It is removed and its connection is cut. It can ask again only with a join token that still works."
          action="Turn away"
          problemTitle="Not turned away"
          act={() => decide('reject')}
          onClose={() => setRefusing(false)}
        />
      )}
    </>
  );
}

/** Nothing while nobody waits. */
export function Newcomers() {
  const isOperator = useMay('operator');
  const newcomers = useQuery(newcomersQuery);
  const { devices: shown, total } = newcomers.data ?? { devices: [], total: 0 };
  if (shown.length === 0) return null;
  return (
    <div className={classes['newcomers']}>
      <Panel title={total === 1 ? 'A device waits to be let in' : `${total} devices wait to be let in`}>
        <ul className="plain-list" aria-label="Devices that wait to be let in">
          {shown.map((device) => (
            <li key={device.id} className={rows['row']} data-testid="newcomer" data-device-id={device.id}>
              <div className={rows['main']}>
                <h3 className={rows['title']}>
                  <Anchor component={Link} href={pathOf('devices', device.id)} inherit>
                    {device.name}
                  </Anchor>
                </h3>
                <p className={rows['words']}>
                  {[device.id, device.boardName, device.group, ...device.tags].filter((word) => word !== null).join(' · ')} · waits since{' '}
                  {device.waitingSince !== null && <Ago at={device.waitingSince} />}
                </p>
              </div>
              {isOperator && <ApprovalButtons device={device} />}
            </li>
          ))}
        </ul>
        {total > shown.length && <p className={rows['none']}>{`And ${total - shown.length} more.`}</p>}
      </Panel>
    </div>
  );
}
