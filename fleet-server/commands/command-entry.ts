/** What the audit log holds of a command. Pure. */
import { hiddenSecret, type NewAuditEntry, shownMany } from '#fleet-server/audit/audit-log.ts';
import type { NewCommandRow } from '#fleet-server/commands/commands-store.ts';
import { isCommandKind, isFilledInByServer } from '#protocol/commands.ts';

/** `batch`: all devices of a command to several. */
export function entryOfCommand(
  { kind, arguments: given, requestedBy, batchId }: Omit<NewCommandRow, 'deviceId'>,
  subject: string,
  batch: readonly string[] = [],
): NewAuditEntry {
  const added = (field: string, after: string) => ({ field, before: null, after });
  const isSecret = isCommandKind(kind) && isFilledInByServer(kind);
  return {
    actor: requestedBy,
    action: 'command-requested',
    subject,
    changes: [
      added('command', kind),
      ...(given === '{}' ? [] : [added('arguments', isSecret ? hiddenSecret : given)]),
      ...(batchId === null ? [] : [added('batch', batchId), added('devices', shownMany(batch))]),
    ],
  };
}
