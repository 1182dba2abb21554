/** The API of the server under load, as a program of an operator would use it. */
import type { DeviceList } from '#protocol/model/device.ts';
import type { History } from '#protocol/model/history.ts';
import type { Rollout, RolloutDetail, RolloutList } from '#protocol/model/rollout.ts';
import type { DeviceSettings } from '#protocol/model/settings.ts';

export type FleetApi = {
  page(after: string | null): Promise<DeviceList>;
  patchDevice(deviceId: string, patch: Record<string, unknown>): Promise<DeviceSettings>;
  settings(deviceId: string): Promise<DeviceSettings>;
  command(deviceId: string): Promise<string>;
  /** The newest five hundred of this kind. */
  history(deviceId: string, kind: string): Promise<History>;
  patchFleet(patch: Record<string, unknown>): Promise<unknown>;
  patchGroup(group: string, patch: Record<string, unknown>): Promise<unknown>;
  moveAll(group: string): Promise<unknown>;
  beginRollout(request: object): Promise<RolloutDetail>;
  newestRollout(): Promise<Rollout>;
  rollout(id: string): Promise<RolloutDetail>;
  rollBack(id: string): Promise<RolloutDetail>;
};

export async function signIn(url: string, password: string): Promise<FleetApi> {
  const session = await fetch(`${url}/api/v1/session`, request('POST', { name: 'admin', password }));
  const cookie = session.headers.get('set-cookie')?.split(';', 1)[0];
  if (!session.ok || cookie === undefined) throw new Error(`expected to be signed in, got ${session.status}`);
  const ask = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const options = request(method, body);
    const answer = await fetch(`${url}/api/v1${path}`, { ...options, headers: { ...options.headers, cookie } });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  };
  return {
    page: (after) => ask('GET', `/devices?limit=100${after === null ? '' : `&after=${after}`}`),
    patchDevice: (deviceId, patch) => ask('PATCH', `/devices/${deviceId}/settings`, patch),
    settings: (deviceId) => ask('GET', `/devices/${deviceId}/settings`),
    command: async (deviceId) => (await ask<{ id: string }>('POST', `/devices/${deviceId}/commands`, { kind: 'restart-pipeline' })).id,
    history: (deviceId, kind) => ask('GET', `/devices/${deviceId}/history?limit=500&kind=${kind}`),
    patchFleet: (patch) => ask('PATCH', '/fleet/settings', patch),
    patchGroup: (group, patch) => ask('PATCH', `/groups/${group}/settings`, patch),
    moveAll: (group) => ask('POST', '/devices/grouping', { matching: {}, group }),
    beginRollout: (body) => ask('POST', '/rollouts', body),
    newestRollout: async () => {
      const [newest] = (await ask<RolloutList>('GET', '/rollouts?limit=1')).rollouts;
      if (newest === undefined) throw new Error('expected a roll-out, got none');
      return newest;
    },
    rollout: (id) => ask('GET', `/rollouts/${id}`),
    rollBack: (id) => ask('POST', `/rollouts/${id}/roll-back`),
  };
}

function request(
  method: string,
  body?: object,
): { readonly method: string; readonly headers: Record<string, string>; readonly body?: string } {
  if (body === undefined) return { method, headers: {} };
  return { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
