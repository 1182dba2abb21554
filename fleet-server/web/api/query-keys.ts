/** The names under which answers are kept. Each begins with its subject, so that a whole subject can be read again. */
export const queryKeys = {
  session: ['session'],
  devices: ['devices'],
  device: (id: string) => ['device', id],
  settings: (id: string) => ['device-settings', id],
  levelSettings: (level: 'fleet' | 'group', scope: string) => ['level-settings', level, scope],
  revisions: (level: 'fleet' | 'group' | 'device', scope: string) =>
    level === 'device' ? ['device-settings', scope, 'revisions'] : ['level-settings', level, scope, 'revisions'],
  devicesPage: (query: string) => ['devices', 'page', query],
  newcomers: ['devices', 'newcomers'],
  /** Not with the devices: in a large fleet one of them changes all the time, and groups and tags seldom. */
  groups: ['device-groups'],
  tags: ['device-tags'],
  rollouts: ['rollouts'],
  rollout: (id: string) => ['rollout', id],
  history: (id: string, query: string) => ['device-history', id, query],
  /** Not with the history: which kinds there are changes seldom. */
  historyKinds: (id: string) => ['device-history-kinds', id],
  health: (id: string, range: string) => ['device-health', id, range],
  deviceLog: (id: string) => ['device-log', id],
  commands: (deviceId: string) => ['commands', deviceId],
  batch: (id: string) => ['commands', 'batch', id],
  joinTokens: ['join-tokens'],
  alerts: (which: 'now' | 'over') => ['alerts', which],
  alertRules: ['alert-rules'],
  alertChannels: ['alert-channels'],
  maintenance: ['maintenance-windows'],
  watchdogPolicies: ['watchdog-policy'],
  watchdogPolicy: (group: string | null) => ['watchdog-policy', group ?? ''],
  /** Three words: none of a group. */
  ownWatchdogPolicies: ['watchdog-policy', 'of', 'groups'],
  deviceChoices: (search: string) => ['device-choices', search],
  people: ['people'],
  accessTokens: ['access-tokens'],
  auditLog: (query: string) => ['audit-log', query],
} as const;
