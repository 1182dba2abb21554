/** One entry of the audit log. */
import { Anchor } from '@mantine/core';
import { IconArrowRight } from '@tabler/icons-react';
import { Link } from 'wouter';
import type { AuditEntry } from '#protocol/model/audit.ts';
import { dayWords, exactWords } from '../time/words.ts';
import classes from './audit.module.css';
import { isAboutItself, isTime, makesNew, type Names, type ShownChange, shownChanges, verbOf } from './audit-words.ts';

export const subjectAddress = (subject: string): string => `/audit-log?${new URLSearchParams({ subject })}`;

function Value({ text }: { readonly text: string | null }) {
  if (text === null) return <em className="dim">not set</em>;
  return <span className={classes['value']}>{isTime(text) ? dayWords(text) : text}</span>;
}

function Change({ change, isNew }: { readonly change: ShownChange; readonly isNew: boolean }) {
  return (
    <li>
      <span className="dim">{change.field}:</span>{' '}
      {!isNew && (
        <>
          <Value text={change.before} /> <IconArrowRight size={13} role="img" aria-label="became" className={classes['arrow']} />{' '}
        </>
      )}
      <Value text={change.after} />
    </li>
  );
}

/** Of what is known by an id and is no device. */
type AuditItemProps = { readonly entry: AuditEntry; readonly names: Names };

export function AuditItem({ entry, names }: AuditItemProps) {
  const { at, actor, action, subject, subjectName } = entry;
  const changes = shownChanges(entry.changes, names);
  return (
    <li className={classes['entry']} data-testid="audit-entry" data-action={action}>
      <time className={`figure ${classes['time']}`} dateTime={at} title={exactWords(at)}>
        {dayWords(at)}
      </time>
      <div>
        <p>
          <strong>{actor}</strong> {verbOf(action)}{' '}
          {!isAboutItself(entry) && (
            <Anchor component={Link} href={subjectAddress(subject)} inherit title={`Only what was done to ${subject}`}>
              {subjectName ?? names.get(subject) ?? (subject === 'fleet' ? 'the whole fleet' : subject)}
            </Anchor>
          )}
        </p>
        {changes.length > 0 && (
          <ul className={`plain-list ${classes['changes']}`}>
            {changes.map((change) => (
              <Change key={change.field} change={change} isNew={makesNew(action)} />
            ))}
          </ul>
        )}
      </div>
    </li>
  );
}
