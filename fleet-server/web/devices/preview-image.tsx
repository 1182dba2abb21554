/** The newest preview picture of a device, with its age; greyed when it is too old to be believed. */
import { IconCamera, IconPhotoOff } from '@tabler/icons-react';
import { useState } from 'react';
import { pathOf } from '../api/api.ts';
import { usePreviewTime } from '../live/preview-times.ts';
import { useNow } from '../time/now.ts';
import { exactWords, relativeWords } from '../time/words.ts';
import { isOldPicture } from './preview-age.ts';
import classes from './preview-image.module.css';

type PreviewImageProps = {
  readonly device: { readonly id: string; readonly name: string; readonly previewAt: string | null };
  /** Thumbnails show no words. */
  readonly isSmall?: boolean;
  /** Words lie on it that say why there is no picture. */
  readonly isCovered?: boolean;
};

export function PreviewImage({ device, isSmall = false, isCovered = false }: PreviewImageProps) {
  const atMs = usePreviewTime(device.id, device.previewAt);
  const nowMs = useNow();
  const [failedAtMs, setFailedAtMs] = useState<number | null>(null);
  if (atMs === null || failedAtMs === atMs) {
    const Icon = atMs === null ? IconCamera : IconPhotoOff;
    return (
      <div className={classes['nothing']} role="img" aria-label={`No picture of ${device.name}`}>
        {!isCovered && <Icon size={isSmall ? 18 : 34} stroke={1.3} aria-hidden />}
        {!isSmall && !isCovered && <span>No picture yet</span>}
      </div>
    );
  }
  const isOld = isOldPicture(atMs, nowMs);
  return (
    <>
      <img
        className={classes['picture']}
        data-testid="preview-image"
        data-old={isOld}
        // The time makes the address new, so that the browser asks again; the old picture stays until the new one is there.
        src={`/api/v1${pathOf('devices', device.id)}/preview.jpg?at=${atMs}`}
        alt={`Preview of ${device.name}`}
        decoding="async"
        onError={() => setFailedAtMs(atMs)}
      />
      {!isSmall && (
        <span className={classes['age']} data-old={isOld} title={`Picture of ${exactWords(atMs)}`}>
          {isOld ? `Old picture: ${relativeWords(atMs, nowMs)}` : relativeWords(atMs, nowMs)}
        </span>
      )}
    </>
  );
}
