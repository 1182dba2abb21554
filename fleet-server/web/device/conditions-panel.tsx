/** What is wrong with the device, and what to do about it. */
import { Text } from '@mantine/core';
import { IconCircleCheck } from '@tabler/icons-react';
import type { DeviceDetail } from '#protocol/model/device.ts';
import { SeverityIcon, toneOf } from '../status/condition-chips.tsx';
import { shownConditions } from '../status/conditions.ts';
import { Ago } from '../time/times.tsx';
import classes from './device-page.module.css';
import { Panel } from './panel.tsx';

export function ConditionsPanel({ device }: { readonly device: DeviceDetail }) {
  const conditions = shownConditions(device.conditions);
  return (
    <Panel title="Conditions">
      {conditions.length === 0 ? (
        <p className={classes['good']}>
          <IconCircleCheck size={18} aria-hidden />
          {device.presence.state === 'online' ? 'Nothing is wrong.' : 'It is not connected: nothing is known.'}
        </p>
      ) : (
        <ul className={`plain-list ${classes['conditions']}`} aria-live="polite">
          {conditions.map(({ code, title, severity, detail, advice, since }) => (
            <li key={code} data-tone={toneOf(severity)} data-condition={code}>
              <span className={classes['conditionIcon']}>
                <SeverityIcon severity={severity} size={18} />
              </span>
              <div>
                <Text size="sm" fw={600} component="h3" m={0}>
                  {title}
                </Text>
                {detail !== undefined && detail !== '' && <Text size="sm">{detail}</Text>}
                <Text size="sm" className="dim">
                  {advice}
                </Text>
                <Text size="xs" className="dim">
                  <Ago at={since} />
                </Text>
              </div>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
