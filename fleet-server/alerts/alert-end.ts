/** Why an alert is over, and how that is said. Pure. */
import { isTriggeredBy } from '#fleet-server/alerts/decide.ts';
import { readEventKey } from '#fleet-server/alerts/gather.ts';
import type { DevicesTable } from '#fleet-server/store/schema.ts';
import type { AlertEnd, AlertNotice, AlertRule } from '#protocol/model/alert.ts';

/** `devices`: of those that it was about, what the store has of them; null: it is about none. */
export function endOf(
  key: string,
  rule: AlertRule | undefined,
  devices: readonly Pick<DevicesTable, 'groupName' | 'blockedSinceMs'>[] | null,
): AlertEnd {
  if (rule === undefined) return 'rule-removed';
  if (!rule.enabled) return 'rule-off';
  const { trigger, group } = rule;
  if (devices === null) return trigger.kind === 'relay-down' || trigger.kind === 'broker-down' ? 'recovered' : 'not-watched';
  if (!isTriggeredBy(trigger, readEventKey(key)?.cause ?? key.split('/')[2] ?? '')) return 'not-watched';
  if (devices.length === 0) return 'device-removed';
  const free = devices.filter(({ blockedSinceMs }) => blockedSinceMs === null);
  if (free.length === 0) return 'device-blocked';
  return free.some(({ groupName }) => group === null || group === groupName) ? 'recovered' : 'not-watched';
}

const reasons: Readonly<Record<AlertEnd, string | null>> = {
  recovered: null,
  'rule-off': 'its rule was switched off',
  'rule-removed': 'its rule was removed',
  'not-watched': 'its rule does not watch it any more',
  'device-removed': 'the device was removed from the fleet',
  'device-blocked': 'the device was blocked',
};

/** Why nobody watches it any more; null: it has recovered, or is not over. */
export function unwatchedBecause({ event, reason = 'recovered' }: Pick<AlertNotice, 'event' | 'reason'>): string | null {
  return event === 'resolved' ? reasons[reason] : null;
}
