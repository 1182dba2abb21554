/** One device as a picture with its state and figures. */
import { IconCpu, IconDatabase, IconTemperature } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { DeviceSummary } from '#protocol/model/device.ts';
import { pathOf } from '../api/api.ts';
import { unknown } from '../figures/format.ts';
import { ConditionChips } from '../status/condition-chips.tsx';
import { SettingsBadge } from '../status/settings-badge.tsx';
import { StreamBadge } from '../status/stream-badge.tsx';
import { presenceWords, streamTone } from '../status/stream-words.ts';
import { Ago, For } from '../time/times.tsx';
import { ContentSigns } from './content-signs.tsx';
import classes from './device-card.module.css';
import { PreviewImage } from './preview-image.tsx';
import { shownFigures } from './shown-figures.ts';

const shownConditionsLimit = 2;

export function DeviceCard({ device, tick }: { readonly device: DeviceSummary; readonly tick?: ReactNode }) {
  const figures = shownFigures(device);
  return (
    <article className={classes['card']} data-testid="device-card" data-device-id={device.id} data-tone={streamTone(device.stream.kind)}>
      <div className={classes['picture']}>
        <PreviewImage device={device} />
        <span className={classes['state']}>
          <StreamBadge stream={device.stream} look="on-picture" />
        </span>
        {tick !== undefined && <span className={classes['tick']}>{tick}</span>}
        <span className={classes['signs']}>
          <ContentSigns conditions={device.conditions} />
        </span>
      </div>
      <div className={classes['body']}>
        <div className={classes['title']}>
          <h3 className={classes['name']}>
            <Link href={pathOf('devices', device.id)} className={classes['link']}>
              {device.name}
            </Link>
          </h3>
          {device.group !== null && <span className={classes['group']}>{device.group}</span>}
        </div>
        <p className={classes['line']}>
          for <For since={device.stream.since} />
          {device.presence.state !== 'online' && (
            <>
              {' · '}
              {presenceWords[device.presence.state]} <Ago at={device.presence.since} />
            </>
          )}
        </p>
        {device.tags.length > 0 && (
          <p className={classes['tags']}>
            {device.tags.map((tag) => (
              <span key={tag} className={classes['group']} title="Tag">
                {tag}
              </span>
            ))}
          </p>
        )}
        <dl className={classes['figures']}>
          <div>
            <dt>Relay</dt>
            <dd>{figures.relayBitrate}</dd>
          </div>
          <div>
            <dt>Encoder</dt>
            <dd>{figures.encoderBitrate}</dd>
          </div>
          <div>
            <dt>Frames</dt>
            <dd>{figures.frames}</dd>
          </div>
          <div>
            <dt>Size</dt>
            <dd>{figures.size}</dd>
          </div>
        </dl>
        <p className={classes['board']}>
          <span title="Temperature">
            <IconTemperature size={14} aria-label="Temperature" /> {figures.temperature}
          </span>
          <span title="Load over one minute">
            <IconCpu size={14} aria-label="Load" /> {figures.load}
          </span>
          <span title="Memory free">
            <IconDatabase size={14} aria-label="Memory free" />
            {figures.memoryFree === unknown ? unknown : `${figures.memoryFree} free`}
          </span>
        </p>
        {(device.conditions.length > 0 || device.settings.kind !== 'applied') && (
          <div className={classes['chips']}>
            <ConditionChips conditions={device.conditions} limit={shownConditionsLimit} />
            <SettingsBadge settings={device.settings} />
          </div>
        )}
      </div>
    </article>
  );
}
