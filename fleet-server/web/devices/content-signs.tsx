/** Signs upon a preview: no sound, black, frozen. */
import { IconDeviceTvOff, IconSnowflake, IconVolumeOff } from '@tabler/icons-react';
import type { Condition } from '#protocol/conditions.ts';
import { type ContentMark, contentMarks } from '../status/content-marks.ts';
import classes from './content-signs.module.css';

const icons = {
  'audio-silent': IconVolumeOff,
  'picture-black': IconDeviceTvOff,
  'picture-frozen': IconSnowflake,
} as const satisfies Record<ContentMark['code'], unknown>;

export function ContentSigns({ conditions, isSmall = false }: { readonly conditions: readonly Condition[]; readonly isSmall?: boolean }) {
  const marks = contentMarks(conditions);
  if (marks.length === 0) return null;
  return (
    <span className={classes['signs']}>
      {marks.map(({ code, title }) => {
        const Icon = icons[code];
        return (
          <span key={code} className={classes['sign']} role="img" aria-label={title} title={title} data-mark={code}>
            <Icon size={isSmall ? 12 : 16} aria-hidden />
          </span>
        );
      })}
    </span>
  );
}
