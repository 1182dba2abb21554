/** A fleet server that tells its alerts to a real receiver, anew for each test. */
import { afterEach, beforeEach } from 'vitest';
import type { AlertChannel, AlertList, AlertNotice, AlertRuleList } from '#protocol/model/alert.ts';
import { until } from '../../until.ts';
import { type ApiUnderTest, bodies, startApi } from '../api-under-test.ts';
import { HttpReceiver } from './receivers.ts';

/** A rule that tells of each device that is away for ten seconds; its channels are to be given. */
export const basicRule = {
  name: 'away',
  trigger: { kind: 'offline' },
  forS: 10,
  severity: 'critical',
  group: null,
  enabled: true,
  quietHours: null,
  escalation: null,
};

export function alertsUnderTest() {
  let api: ApiUnderTest;
  let http: HttpReceiver;
  let url: string;
  beforeEach(async () => {
    http = new HttpReceiver();
    url = await http.start();
    api = await startApi();
  });
  afterEach(async () => {
    await api.close();
    await http.stop();
  });

  const call = async <T>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, payload?: object): Promise<T> =>
    (await api.request({ method, url: `/api/v1${path}`, ...(payload === undefined ? {} : { payload }) })).json<T>();
  const notices = () => http.notices.map(({ path, body }) => ({ path, ...(JSON.parse(body) as AlertNotice) }));

  /** The fleet server, on the same database and with the same clock. */
  const startAgain = async () => {
    const { directory, clock } = api;
    api = await startApi({ directory, clock });
  };

  return {
    get api() {
      return api;
    },
    get http() {
      return http;
    },
    /** The receiver's. */
    get url() {
      return url;
    },
    async restart(): Promise<void> {
      await api.stop();
      await startAgain();
    },
    startAgain,
    call,
    alerts: async (query = '') => (await call<AlertList>('GET', `/alerts${query}`)).alerts,
    notices,
    told: () => notices().map(({ event, alert }) => `${event}: ${alert.title}`),
    events: () => notices().map(({ path, event }) => `${path} ${event}`),
    async pass(seconds: number): Promise<void> {
      for (let second = 0; second < seconds; second += 1) await api.clock.advance(1000);
    },
    /** A second of the fleet server's at a time, until it is so; between two, what is told has the time to arrive. */
    passUntil: (what: string, ask: () => boolean | Promise<boolean>) =>
      until(
        what,
        20_000,
        async () => {
          await api.clock.advance(1000);
          return ask();
        },
        5,
      ),
    webhook: (name = 'the team', path = '/hook') =>
      call<AlertChannel>('POST', '/alert-channels', { name, target: { kind: 'webhook', url: url + path, secret: 'geheim' } }),
    async removeFirstRules(): Promise<void> {
      for (const { id } of (await call<AlertRuleList>('GET', '/alert-rules')).rules)
        await api.request({ method: 'DELETE', url: `/api/v1/alert-rules/${id}` });
    },
    async deviceThatWent(joined: { readonly name: string; readonly group?: string } = { name: 'stage' }) {
      const { deviceId } = await api.join(joined);
      const voice = api.voice(deviceId);
      voice.connect();
      await voice.say('hello', bodies.hello());
      voice.disconnect();
      return voice;
    },
  };
}
