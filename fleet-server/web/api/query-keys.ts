/** The names under which answers are kept. Each begins with its subject, so that a whole subject can be read again. */
export const queryKeys = {
  session: ['session'],
  devices: ['devices'],
  device: (id: string) => ['device', id],
  settings: (id: string) => ['device-settings', id],
  levelSettings: (level: 'fleet' | 'group', scope: string) => ['level-settings', level, scope],
  revisions: (level: 'fleet' | 'group' | 'device', scope: string) =>
    level === 'device' ? ['device-settings', scope, 'revisions'] : ['level-settings', level, scope, 'revisions'],
  groups: ['devices', 'groups'],
  rollouts: ['rollouts'],
  rollout: (id: string) => ['rollout', id],
  history: (id: string) => ['device-history', id],
  health: (id: string) => ['device-health', id],
  deviceLog: (id: string) => ['device-log', id],
  commands: (deviceId: string) => ['commands', deviceId],
  joinTokens: ['join-tokens'],
  alerts: (which: 'now' | 'over') => ['alerts', which],
  alertRules: ['alert-rules'],
  alertChannels: ['alert-channels'],
  people: ['people'],
  accessTokens: ['access-tokens'],
  auditLog: (subject: string) => ['audit-log', subject],
} as const;
