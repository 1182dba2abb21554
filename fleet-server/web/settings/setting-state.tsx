/** Where one setting stands. */
import { VisuallyHidden } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconLoader2, IconPencil } from '@tabler/icons-react';
import type { SettingKey } from '#protocol/settings.ts';
import type { Tone } from '../status/stream-words.ts';
import classes from './settings.module.css';

export type ShownState = 'applied' | 'pending' | 'refused' | 'unsaved' | 'saving' | 'set' | 'unset';

const looks: { readonly [State in ShownState]: { readonly words: string; readonly tone: Tone; readonly Icon: typeof IconCheck | null } } = {
  applied: { words: 'Applied', tone: 'live', Icon: IconCheck },
  pending: { words: 'Pending', tone: 'starting', Icon: IconLoader2 },
  refused: { words: 'Refused', tone: 'bad', Icon: IconAlertTriangle },
  unsaved: { words: 'Unsaved', tone: 'warn', Icon: IconPencil },
  saving: { words: 'Saving', tone: 'starting', Icon: IconLoader2 },
  set: { words: 'Set here', tone: 'starting', Icon: null },
  unset: { words: '', tone: 'quiet', Icon: null },
};

export function SettingState({ name, state }: { readonly name: SettingKey; readonly state: ShownState }) {
  const { words, tone, Icon } = looks[state];
  return (
    <span className={classes['state']} data-testid={`setting-state-${name}`} data-state={state} data-tone={tone} role="status">
      {Icon !== null && <Icon size={14} aria-hidden className={Icon === IconLoader2 ? classes['turning'] : undefined} />}
      {state === 'applied' ? <VisuallyHidden>{words}</VisuallyHidden> : words}
    </span>
  );
}
