/** The groups that have a policy of their own. */
import { Anchor } from '@mantine/core';
import { Link } from 'wouter';
import type { WatchdogPolicyList } from '#protocol/model/watchdog.ts';
import { dayWords } from '../time/words.ts';
import { ownPolicyWords } from './policy-words.ts';
import classes from './watchdog.module.css';

export function OwnPolicies({ groups }: WatchdogPolicyList) {
  return (
    <section className="panel" aria-labelledby="own-policies">
      <h2 className={classes['title']} id="own-policies">
        Groups with a policy of their own
      </h2>
      <p className={classes['lead']}>
        {groups.length === 0 ? 'None: what stands here counts for every device.' : 'What stands here does not count for these.'}
      </p>
      <ul className={classes['list']}>
        {groups.map((own) => (
          <li key={own.name} className={classes['own']} data-testid="own-policy">
            <Anchor component={Link} href={`/watchdog/${own.name}`}>
              {own.name}
            </Anchor>
            <span className="dim">{ownPolicyWords(own, dayWords)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
