/** What the pages read. Change events say when to read again; the slow interval is for events that got lost on the way. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { AccessTokenList } from '#protocol/model/access-token.ts';
import { AlertChannelList, AlertList, AlertRuleList } from '#protocol/model/alert.ts';
import { AuditPage } from '#protocol/model/audit.ts';
import { BatchStatus, CommandList, type CommandStatus } from '#protocol/model/command.ts';
import { DeviceDetail, DeviceList, GroupList, HealthHistory, TagList } from '#protocol/model/device.ts';
import { JoinTokenList } from '#protocol/model/enrolment.ts';
import { History, HistoryKinds } from '#protocol/model/history.ts';
import { MaintenanceWindowList } from '#protocol/model/maintenance.ts';
import { Person, PersonList } from '#protocol/model/person.ts';
import { RolloutDetail, RolloutList } from '#protocol/model/rollout.ts';
import { DeviceSettings, LevelSettings, RevisionPage } from '#protocol/model/settings.ts';
import { WatchdogPolicyAnswer, WatchdogPolicyList } from '#protocol/model/watchdog.ts';
import { type AuditFilter, auditQuery } from '../audit/audit-filter.ts';
import { type HealthRange, moveMs } from '../device/health-ranges.ts';
import { type HistoryFilter, historyQueryOf } from '../device/history-filter.ts';
import { type ListView, listQuery, maxSearchLength } from '../devices/list-view.ts';
import { ApiProblem, get, pathOf } from './api.ts';
import { queryKeys } from './query-keys.ts';
import { serverNowMs } from './server-clock.ts';

const fallbackMs = 30_000;
/** A hall full of boards is let in one after the other; the rest moves up. */
const newcomersAtOnce = 20;
const historyEntries = 50;
/** Of two thousand that are kept. */
const olderHistoryEntries = 200;
const unfinishedCommandMs = 5000;
const openBatchMs = 2000;
/** An answer about thousands of devices is long. */
const openLargeBatchMs = 10_000;
const largeBatch = 500;
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

/** While the next page is on its way the one before stays. */
export const devicesPageQuery = (view: ListView) =>
  queryOptions({
    queryKey: queryKeys.devicesPage(listQuery(view)),
    queryFn: ({ signal }) => get(`/devices?${listQuery(view)}`, DeviceList, signal),
    placeholderData: keepPreviousData,
    refetchInterval: fallbackMs,
  });

/** Who has waited longest to be let in, first. */
export const newcomersQuery = queryOptions({
  queryKey: queryKeys.newcomers,
  queryFn: ({ signal }) => get(`/devices?waiting=true&sort=waiting&limit=${newcomersAtOnce}`, DeviceList, signal),
  refetchInterval: fallbackMs,
});

export const tagsQuery = queryOptions({
  queryKey: queryKeys.tags,
  queryFn: ({ signal }) => get('/tags', TagList, signal),
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
  infiniteQueryOptions({
    queryKey: queryKeys.revisions(level, scope),
    queryFn: ({ signal, pageParam }) => get(`${levelPath(level, scope)}/revisions?limit=20${pageParam}`, RevisionPage, signal),
    initialPageParam: '',
    getNextPageParam: ({ next }) => (next === null ? null : `&before=${next}`),
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

/** All that was read is read again when something happens: the first page is short, and those after it are few. */
export const historyQuery = (id: string, filter: HistoryFilter) =>
  infiniteQueryOptions({
    queryKey: queryKeys.history(id, historyQueryOf(filter).toString()),
    queryFn: ({ signal, pageParam }) => {
      const query = historyQueryOf(filter);
      query.set('limit', String(pageParam === null ? historyEntries : olderHistoryEntries));
      if (pageParam !== null) query.set('after', pageParam);
      return get(`${pathOf('devices', id, 'history')}?${query}`, History, signal);
    },
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
    refetchInterval: fallbackMs,
  });

export const historyKindsQuery = (id: string) =>
  queryOptions({
    queryKey: queryKeys.historyKinds(id),
    queryFn: ({ signal }) => get(pathOf('devices', id, 'history', 'kinds'), HistoryKinds, signal),
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
    refetchInterval: ({ state: { data } }) => {
      if (data?.progress.open === 0) return false;
      return (data?.progress.total ?? 0) > largeBatch ? openLargeBatchMs : openBatchMs;
    },
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

export const maintenanceQuery = queryOptions({
  queryKey: queryKeys.maintenance,
  queryFn: ({ signal }) => get('/maintenance-windows', MaintenanceWindowList, signal),
  refetchInterval: fallbackMs,
});

/** Null: of the fleet. */
export function watchdogPolicyPath(group: string | null): string {
  return group === null ? '/fleet/watchdog-policy' : pathOf('groups', group, 'watchdog-policy');
}

export const watchdogPolicyQuery = (group: string | null) =>
  queryOptions({
    queryKey: queryKeys.watchdogPolicy(group),
    queryFn: ({ signal }) => get(watchdogPolicyPath(group), WatchdogPolicyAnswer, signal),
    refetchInterval: fallbackMs,
  });

export const ownWatchdogPoliciesQuery = queryOptions({
  queryKey: queryKeys.ownWatchdogPolicies,
  queryFn: ({ signal }) => get('/watchdog-policies', WatchdogPolicyList, signal),
  refetchInterval: fallbackMs,
});

/** Devices to choose one from. */
export const deviceChoicesQuery = (search: string) =>
  queryOptions({
    queryKey: queryKeys.deviceChoices(search),
    queryFn: ({ signal }) =>
      get(`/devices?${new URLSearchParams({ search: search.slice(0, maxSearchLength), limit: '20' })}`, DeviceList, signal),
    placeholderData: keepPreviousData,
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
export const auditLogQuery = (filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: queryKeys.auditLog(auditQuery(filter).toString()),
    queryFn: ({ signal, pageParam }) => {
      const query = auditQuery(filter);
      query.set('limit', String(auditEntries));
      if (pageParam !== null) query.set('before', String(pageParam));
      return get(`/audit-log?${query}`, AuditPage, signal);
    },
    initialPageParam: null as number | null,
    getNextPageParam: ({ next }) => next,
    maxPages: auditPages,
  });
