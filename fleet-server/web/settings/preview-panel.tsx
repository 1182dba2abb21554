/** What a change would do: at the level itself, and on each device. */
import { Button, ScrollArea, Stack, Text } from '@mantine/core';
import type { PreviewedChange, SettingsPreview } from '#protocol/model/settings.ts';
import { ChangeLine } from './change-words.tsx';
import { effectWords } from './preview-words.ts';
import classes from './settings.module.css';

type Props = {
  readonly preview: Omit<SettingsPreview, 'next'>;
  readonly isReadingMore: boolean;
  /** Null: all of them are shown. */
  readonly onMore: (() => void) | null;
};

export function PreviewPanel({ preview: { changes, deviceCount, touchedCount, devices, problems }, isReadingMore, onMore }: Props) {
  return (
    <div data-testid="preview">
      <Text fw={600}>{`Touches ${touchedCount} of ${deviceCount} ${deviceCount === 1 ? 'device' : 'devices'}`}</Text>
      <Stack gap={4} my="xs">
        {changes.map((change) => (
          <ChangeLine key={change.key} change={change} />
        ))}
      </Stack>
      {devices.length > 0 && (
        <ScrollArea.Autosize mah={260} type="auto" offsetScrollbars>
          <ul className={classes['previewed']} aria-label="On each device">
            {devices.map(({ id, name, isOnline, changes: ofDevice }) => (
              <li key={id} data-testid="previewed-device">
                <span className={classes['previewedName']}>
                  {name}
                  {!isOnline && <span className="dim"> (offline)</span>}
                </span>
                <div>
                  {ofDevice.map((change) => (
                    <Effect key={change.key} change={change} />
                  ))}
                </div>
              </li>
            ))}
          </ul>
          {onMore !== null && (
            <Button size="compact-sm" variant="default" mt="xs" loading={isReadingMore} onClick={onMore}>
              {`Show more: ${deviceCount - devices.length} left`}
            </Button>
          )}
        </ScrollArea.Autosize>
      )}
      {problems.map(({ key, expected }) => (
        <Text key={key} c="red" size="sm">{`${key}: expected ${expected}.`}</Text>
      ))}
    </div>
  );
}

function Effect({ change }: { readonly change: PreviewedChange }) {
  const { before, after } = effectWords(change);
  return (
    <div data-effect={change.effect}>
      <code>{change.key}</code> <span className="dim">{before}</span> <strong>{after}</strong>
    </div>
  );
}
