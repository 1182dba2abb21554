import type { RolloutDetail, RolloutList } from '#protocol/model/rollout.ts';
import type { LevelSettings } from '#protocol/model/settings.ts';
import { type ApiUnderTest, bodies, type DeviceVoice, startApi } from '../api-under-test.ts';

export let api: ApiUnderTest;
export let devices: DeviceVoice[];
/** They say at once that what they were sent is in force. */
export const applied = new Set<DeviceVoice>();

export async function openHall(): Promise<void> {
  api = await startApi();
  applied.clear();
  devices = [];
  for (const name of ['a', 'b', 'c', 'd']) devices.push(api.voice((await api.join({ name, group: 'hall' })).deviceId));
  for (const voice of devices) await comeUp(voice);
  await passSeconds(1);
}

export const closeHall = () => api.close();

/** After `api.stop()`. Nobody is connected yet. */
export async function startAgain(): Promise<void> {
  api = await startApi({ directory: api.directory, clock: api.clock });
  devices = devices.map(({ id }) => api.voice(id));
  applied.clear();
}

export async function comeUp(voice: DeviceVoice): Promise<void> {
  voice.connect();
  await voice.say('presence', bodies.online);
  await confirm(voice);
  api.app.devices.setReception(voice.id, bodies.reception);
}

/** Says that what it was last sent is in force. */
export async function confirm(voice: DeviceVoice): Promise<void> {
  const { revision = 1 } = api.lastDesired(voice.id) ?? {};
  await voice.say('applied', { revision, outcome: 'applied', refusals: [], inForceRevision: revision });
}

export const passSeconds = async (count: number) => {
  for (let second = 0; second < count; second += 1) {
    for (const voice of applied) await confirm(voice);
    await api.clock.advance(1000);
  }
};
export const voice = (index: number) => devices[index] as DeviceVoice;
export const waves = { kind: 'waves', canary: 1, shares: [50, 100], soakS: 10, failureThresholdPercent: 0 };
export const begin = async (changes: object = {}) => {
  const payload = { scope: { kind: 'group', name: 'hall' }, patch: { AV_VIDEO_WIDTH: 640 }, plan: waves, ...changes };
  return api.request({ method: 'POST', url: '/api/v1/rollouts', payload });
};
export const ask = async (id: string, what = '') =>
  (
    await api.request({ method: what === '' ? 'GET' : 'POST', url: `/api/v1/rollouts/${id}${what === '' ? '' : `/${what}`}` })
  ).json<RolloutDetail>();
export const width = (index: number) => api.lastDesired(voice(index).id)?.levels.group['AV_VIDEO_WIDTH'];
export const widths = () => devices.map((_, index) => width(index));
export const rolledOutTo = async () => {
  const [rollout] = (await api.request({ method: 'GET', url: '/api/v1/rollouts' })).json<RolloutList>().rollouts;
  const { devices: rows } = await ask(rollout?.id ?? '');
  return devices.map(({ id }) => rows.find((row) => row.id === id)?.state);
};
export const patch = (payload: object) => api.request({ method: 'PATCH', url: '/api/v1/groups/hall/settings', payload });
export const group = async () => (await api.request({ method: 'GET', url: '/api/v1/groups/hall/settings' })).json<LevelSettings>().settings;
