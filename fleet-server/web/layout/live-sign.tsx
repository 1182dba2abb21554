/** Whether the page follows the world. */
import { Tooltip } from '@mantine/core';
import { useLive } from '../live/live-provider.tsx';
import classes from './layout.module.css';

const words = { open: 'Up to date', connecting: 'Connecting', lost: 'Reconnecting' } as const;

export function LiveSign() {
  const { kind } = useLive();
  return (
    <Tooltip label={kind === 'open' ? 'Changes are shown as they happen' : 'What is shown may be out of date'} position="bottom">
      <span className={classes['sign']} data-channel={kind} role="status">
        <span className={classes['signDot']} aria-hidden />
        <span className={classes['signWords']}>{words[kind]}</span>
      </span>
    </Tooltip>
  );
}

export function ConnectionBanner() {
  const { isStale } = useLive();
  return (
    <div role="alert" className={classes['bannerSpace']} data-shown={isStale}>
      {isStale && (
        <p className={classes['banner']}>
          <strong>No connection to the fleet server: reconnecting.</strong> What you see was true when it was lost.
        </p>
      )}
    </div>
  );
}
