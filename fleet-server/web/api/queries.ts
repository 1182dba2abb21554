/** What the pages read. Change events say when to read again; the slow interval is for events that got lost on the way. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { AccessTokenList } from '#protocol/model/access-token.ts';
import { AlertChannelList, AlertList, AlertRuleList } from '#protocol/model/alert.ts';
import { AuditPage } from '#protocol/model/audit.ts';
import { BatchStatus, CommandList, type CommandStatus } from '#protocol/model/command.ts';
import { DeviceDetail, DeviceList, type DeviceSummary, GroupList, HealthHistory, History } from '#protocol/model/device.ts';
import { JoinTokenList } from '#protocol/model/enrolment.ts';
import { Person, PersonList } from '#protocol/model/person.ts';
import { RolloutDetail, RolloutList } from '#protocol/model/rollout.ts';
import { DeviceSettings, LevelSettings, RevisionPage } from '#protocol/model/settings.ts';
import { type HealthRange, moveMs } from '../device/health-ranges.ts';
import { ApiProblem, get, pathOf } from './api.ts';
import { queryKeys } from './query-keys.ts';
import { serverNowMs } from './server-clock.ts';

const fallbackMs = 30_000;
const pageSize = 200;
/** 10,000 devices: more than a list for people is good for. */
const maxPages = 50;
const historyEntries = 50;
const unfinishedCommandMs = 5000;
const openBatchMs = 2000;
const alertsNow = 500;
const alertsOver = 100;
const auditEntries = 50;
/** 10,000 entries on one page. */
const auditPages = 200;

/** Null: nobody is signed in. */
export const sessionQuery = queryOptions({
  queryKey: queryKeys.session,
  queryFn: async ({ signal }): Promise<Person | null> => {
    try {
      return await get('/session', Person, signal);
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: Number.POSITIVE_INFINITY,
});

export const devicesQuery = queryOptions({
  queryKey: queryKeys.devices,
  queryFn: async ({ signal }) => {
    const devices: DeviceSummary[] = [];
    let after: string | null = null;
    for (let page = 0; page < maxPages; page += 1) {
      const query = new URLSearchParams({ limit: String(pageSize), ...(after === null ? {} : { after }) });
      const list: DeviceList = await get(`/devices?${query}`, DeviceList, signal);
      devices.push(...list.devices);
      after = list.next;
      if (after === null) break;
    }
    return devices;
  },
  refetchInterval: fallbackMs,
});

export const deviceQuery = (id: string) =>
  queryOptions({
    queryKey: queryKeys.device(id),
    queryFn: ({ signal }) => get(pathOf('devices', id), DeviceDetail, signal),
    refetchInterval: fallbackMs,
  });

export const settingsQuery = (id: string) =>
  queryOptions({
    queryKey: queryKeys.settings(id),
    queryFn: ({ signal }) => get(pathOf('devices', id, 'settings'), DeviceSettings, signal),
    refetchInterval: fallbackMs,
  });

export type EditedLevel = 'fleet' | 'group' | 'device';

export function levelPath(level: EditedLevel, scope: string): string {
  if (level === 'fleet') return '/fleet/settings';
  return pathOf(level === 'group' ? 'groups' : 'devices', scope, 'settings');
}

export const levelSettingsQuery = (level: 'fleet' | 'group', scope: string) =>
  queryOptions({
    queryKey: queryKeys.levelSettings(level, scope),
    queryFn: ({ signal }) => get(levelPath(level, scope), LevelSettings, signal),
    refetchInterval: fallbackMs,
  });

export const revisionsQuery = (level: EditedLevel, scope: string) =>
  queryOptions({
    queryKey: queryKeys.revisions(level, scope),
    queryFn: ({ signal }) => get(`${levelPath(level, scope)}/revisions?limit=20`, RevisionPage, signal),
    refetchInterval: fallbackMs,
  });

export const groupsQuery = queryOptions({
  queryKey: queryKeys.groups,
  queryFn: ({ signal }) => get('/groups', GroupList, signal),
  refetchInterval: fallbackMs,
});

export const rolloutsQuery = queryOptions({
  queryKey: queryKeys.rollouts,
  queryFn: ({ signal }) => get('/rollouts?limit=10', RolloutList, signal),
  refetchInterval: fallbackMs,
});

export const rolloutQuery = (id: string) =>
  queryOptions({
    queryKey: queryKeys.rollout(id),
    queryFn: ({ signal }) => get(pathOf('rollouts', id), RolloutDetail, signal),
    refetchInterval: fallbackMs,
  });

export const historyQuery = (id: string) =>
  queryOptions({
    queryKey: queryKeys.history(id),
    queryFn: ({ signal }) => get(`${pathOf('devices', id, 'history')}?limit=${historyEntries}`, History, signal),
    refetchInterval: fallbackMs,
  });

export const healthQuery = (id: string, range: HealthRange) =>
  queryOptions({
    queryKey: queryKeys.health(id, range.name),
    queryFn: ({ signal }) => {
      const toMs = serverNowMs();
      const query = new URLSearchParams({
        from: new Date(toMs - range.rangeMs).toISOString(),
        to: new Date(toMs).toISOString(),
        stepS: String(range.stepS),
      });
      return get(`${pathOf('devices', id, 'health')}?${query}`, HealthHistory, signal);
    },
    refetchInterval: moveMs(range),
  });

export const isFinished = (command: CommandStatus): boolean => command.state !== 'waiting' && command.state !== 'sent';

/** The newest commands of a device; while one of them is not finished they are looked at more often. */
export const commandsQuery = (deviceId: string) =>
  queryOptions({
    queryKey: queryKeys.commands(deviceId),
    queryFn: ({ signal }) => get(pathOf('devices', deviceId, 'commands'), CommandList, signal),
    refetchInterval: ({ state }) => (state.data?.commands.some((command) => !isFinished(command)) ? unfinishedCommandMs : fallbackMs),
  });

/** A command to several devices, looked at until each of them has answered. */
export const batchQuery = (id: string) =>
  queryOptions({
    queryKey: queryKeys.batch(id),
    queryFn: ({ signal }) => get(pathOf('commands', id), BatchStatus, signal),
    refetchInterval: ({ state }) => (state.data === undefined || state.data.progress.open > 0 ? openBatchMs : false),
  });

export const joinTokensQuery = queryOptions({
  queryKey: queryKeys.joinTokens,
  queryFn: ({ signal }) => get('/join-tokens', JoinTokenList, signal),
  refetchInterval: fallbackMs,
});

export const alertsNowQuery = queryOptions({
  queryKey: queryKeys.alerts('now'),
  queryFn: ({ signal }) => get(`/alerts?resolved=false&limit=${alertsNow}`, AlertList, signal),
  refetchInterval: fallbackMs,
});

export const alertsOverQuery = queryOptions({
  queryKey: queryKeys.alerts('over'),
  queryFn: ({ signal }) => get(`/alerts?resolved=true&limit=${alertsOver}`, AlertList, signal),
  refetchInterval: fallbackMs,
});

export const alertRulesQuery = queryOptions({
  queryKey: queryKeys.alertRules,
  queryFn: ({ signal }) => get('/alert-rules', AlertRuleList, signal),
  refetchInterval: fallbackMs,
});

export const alertChannelsQuery = queryOptions({
  queryKey: queryKeys.alertChannels,
  queryFn: ({ signal }) => get('/alert-channels', AlertChannelList, signal),
  refetchInterval: fallbackMs,
});

export const peopleQuery = queryOptions({
  queryKey: queryKeys.people,
  queryFn: ({ signal }) => get('/people', PersonList, signal),
  refetchInterval: fallbackMs,
});

/** An admin gets everybody's. */
export const accessTokensQuery = queryOptions({
  queryKey: queryKeys.accessTokens,
  queryFn: ({ signal }) => get('/access-tokens', AccessTokenList, signal),
  refetchInterval: fallbackMs,
});

/** Not read again by itself: who reads the log must not lose the place. */
export const auditLogQuery = (subject: string) =>
  infiniteQueryOptions({
    queryKey: queryKeys.auditLog(subject),
    queryFn: ({ signal, pageParam }) => {
      const query = new URLSearchParams({
        limit: String(auditEntries),
        ...(subject === '' ? {} : { subject }),
        ...(pageParam === null ? {} : { before: String(pageParam) }),
      });
      return get(`/audit-log?${query}`, AuditPage, signal);
    },
    initialPageParam: null as number | null,
    getNextPageParam: ({ next }) => next,
    maxPages: auditPages,
  });
