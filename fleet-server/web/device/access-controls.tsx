/** Shutting a device out, and letting it in again. */
import { Button } from '@mantine/core';
import { type QueryClient, useMutation, useQueryClient } from '@tanstack/react-query';
import type { DeviceDetail } from '#protocol/model/device.ts';
import type { AccessDecision } from '#protocol/model/enrolment.ts';
import { act, pathOf } from '../api/api.ts';
import { queryKeys } from '../api/query-keys.ts';
import { Confirm } from '../layout/confirm.tsx';
import { ProblemAlert } from '../layout/problem-alert.tsx';

type Whom = Pick<DeviceDetail, 'id' | 'name'>;

async function decide(client: QueryClient, id: string, decision: AccessDecision['decision']): Promise<void> {
  await act(pathOf('devices', id, 'access'), { body: { decision } });
  await Promise.all([
    client.invalidateQueries({ queryKey: queryKeys.devices }),
    client.invalidateQueries({ queryKey: queryKeys.device(id) }),
  ]);
}

export function BlockDialog({ device: { id, name }, onClose }: { readonly device: Whom; readonly onClose: () => void }) {
  const client = useQueryClient();
  return (
    <Confirm
      title={`Block ${name}?`}
      words="Its connection and its stream are cut at once, and it is not let in until somebody lets it in again. Its settings and its history stay."
      action="Block"
      problemTitle="Not blocked"
      act={() => decide(client, id, 'block')}
      onClose={onClose}
    />
  );
}

export function LetInAgain({ device: { id, name } }: { readonly device: Whom }) {
  const client = useQueryClient();
  const letIn = useMutation({ mutationFn: () => decide(client, id, 'let-in') });
  return (
    <>
      <Button size="compact-sm" aria-label={`Let ${name} in again`} loading={letIn.isPending} onClick={() => letIn.mutate()}>
        Let in again
      </Button>
      {letIn.isError && <ProblemAlert title="Not let in" error={letIn.error} />}
    </>
  );
}
