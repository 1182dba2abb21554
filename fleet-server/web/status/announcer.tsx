/** Says changes of stream states to screen readers, once for the whole page. */
import { VisuallyHidden } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import type { DeviceSummary } from '#protocol/model/device.ts';
import { changedWords } from './changed-words.ts';

export function Announcer({ devices }: { readonly devices: readonly DeviceSummary[] }) {
  const before = useRef(devices);
  const [words, setWords] = useState('');
  useEffect(() => {
    const changed = changedWords(before.current, devices);
    before.current = devices;
    if (changed !== '') setWords(changed);
  }, [devices]);
  return (
    <VisuallyHidden role="status" aria-live="polite">
      {words}
    </VisuallyHidden>
  );
}
