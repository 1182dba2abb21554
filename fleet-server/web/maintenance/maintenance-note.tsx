/** Says by which maintenance windows a device, or a group, is covered now or will be. */
import { Anchor, Badge } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { maintenanceQuery } from '../api/queries.ts';
import { serverNowMs } from '../api/server-clock.ts';
import { dayWords } from '../time/words.ts';
import classes from './maintenance.module.css';
import { covering, scheduleWords, scopeWords } from './maintenance-words.ts';

type MaintenanceNoteProps = { readonly deviceId: string | null; readonly group: string | null };

/** More are on their own page. */
const maxShown = 3;

export function MaintenanceNote({ deviceId, group }: MaintenanceNoteProps) {
  const windows = useQuery(maintenanceQuery);
  const found = covering(windows.data?.windows ?? [], { deviceId, group }, serverNowMs());
  if (found.length === 0) return null;
  return (
    <section className={`panel ${classes['note']}`} aria-label="Maintenance" data-testid="maintenance-note">
      {found.slice(0, maxShown).map((window) => (
        <p key={window.id}>
          <Badge variant="light" color={window.openUntil === null ? 'indigo' : 'orange'} tt="none">
            {window.openUntil === null ? 'Maintenance is planned' : `In maintenance until ${dayWords(window.openUntil)}`}
          </Badge>
          <span>{window.reason}</span>
          <span className="dim">
            {scopeWords(window.scope, () => 'This device')}
            {window.openUntil === null ? ` · ${scheduleWords(window.schedule)}` : ''}
          </span>
        </p>
      ))}
      <Anchor component={Link} href="/maintenance" size="sm">
        {found.length > maxShown ? `All ${found.length} windows` : 'Maintenance windows'}
      </Anchor>
    </section>
  );
}
