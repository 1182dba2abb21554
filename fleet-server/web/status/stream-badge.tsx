/** The state of a stream as the server proves it. */
import {
  IconAlertTriangle,
  IconCircleX,
  IconExternalLink,
  IconHelpCircle,
  IconLoader2,
  IconPlayerStop,
  IconPlugConnectedX,
  IconVideoOff,
} from '@tabler/icons-react';
import type { StreamState } from '#protocol/model/device.ts';
import { useLive } from '../live/live-provider.tsx';
import classes from './status.module.css';
import { type StreamKind, streamLabel, streamTone } from './stream-words.ts';

const iconSize = 15;

function StreamIcon({ kind }: { readonly kind: StreamKind }) {
  switch (kind) {
    case 'live':
      return <span className={classes['dot']} aria-hidden />;
    case 'starting':
      return <IconLoader2 size={iconSize} className={classes['turning']} aria-hidden />;
    case 'no-signal':
      return <IconVideoOff size={iconSize} aria-hidden />;
    case 'not-arriving':
      return <IconAlertTriangle size={iconSize} aria-hidden />;
    case 'failed':
      return <IconCircleX size={iconSize} aria-hidden />;
    case 'elsewhere':
      return <IconExternalLink size={iconSize} aria-hidden />;
    case 'stopped':
      return <IconPlayerStop size={iconSize} aria-hidden />;
    case 'unknown':
      return <IconHelpCircle size={iconSize} aria-hidden />;
    case 'offline':
      return <IconPlugConnectedX size={iconSize} aria-hidden />;
    default:
      return kind satisfies never;
  }
}

export type StreamBadgeProps = {
  readonly stream: StreamState;
  readonly look?: 'plain' | 'large' | 'on-picture';
};

export function StreamBadge({ stream, look = 'plain' }: StreamBadgeProps) {
  const { isStale } = useLive();
  const names = [
    classes['badge'],
    look === 'large' ? classes['large'] : undefined,
    look === 'on-picture' ? classes['onPicture'] : undefined,
    isStale ? classes['stale'] : undefined,
  ];
  return (
    <span
      className={names.filter((name) => name !== undefined).join(' ')}
      data-testid="stream-state"
      data-kind={stream.kind}
      data-stale={isStale}
      data-tone={streamTone(stream.kind)}
      title={stream.detail === '' ? undefined : stream.detail}
    >
      <StreamIcon kind={stream.kind} />
      {streamLabel(stream.kind, isStale)}
    </span>
  );
}
