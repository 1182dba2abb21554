/** Saves a change of the fleet's or a group's settings once somebody has looked at what it does: at once, or in waves. */
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useLocation } from 'wouter';
import { RolloutDetail } from '#protocol/model/rollout.ts';
import { LevelSettings, type SettingsPatch } from '#protocol/model/settings.ts';
import { send } from '../api/api.ts';
import { levelPath } from '../api/queries.ts';
import { queryKeys } from '../api/query-keys.ts';
import type { NamedDevice } from '../rollouts/plan-draft.ts';
import { type SaveChoice, SaveDialog } from './save-dialog.tsx';
import type { SaveOutcome } from './settings-form.tsx';

export type LevelChange = { readonly level: 'fleet' | 'group'; readonly scope: string; readonly patch: SettingsPatch };
type Asked = LevelChange & { readonly answer: (outcome: SaveOutcome) => void };

export type LevelSave = {
  /** Resolves when it is saved, or when somebody thought better of it. */
  ask(change: LevelChange): Promise<SaveOutcome>;
  readonly dialog: ReactNode;
};

/** `from`: the device from whose page it is changed; a roll-out begins there unless told otherwise. */
export function useLevelSave(from: NamedDevice | null): LevelSave {
  const client = useQueryClient();
  const [, goTo] = useLocation();
  const [asked, setAsked] = useState<Asked | null>(null);

  const end = (outcome: SaveOutcome): void => {
    asked?.answer(outcome);
    setAsked(null);
  };
  const save = async ({ level, scope, patch }: LevelChange, { comment, plan }: SaveChoice): Promise<void> => {
    if (plan !== null) {
      const about = { scope: level === 'fleet' ? { kind: 'fleet' } : { kind: 'group', name: scope }, patch, plan };
      const { id } = await send('POST', '/rollouts', comment === '' ? about : { ...about, comment }, RolloutDetail);
      end('saved');
      goTo(`/rollouts/${id}`);
      return;
    }
    const queryKey = queryKeys.levelSettings(level, scope);
    const query = comment === '' ? '' : `?comment=${encodeURIComponent(comment)}`;
    const answer = await send('PATCH', `${levelPath(level, scope)}${query}`, patch, LevelSettings);
    // An older answer that is still on its way must not overwrite this one.
    await client.cancelQueries({ queryKey });
    client.setQueryData(queryKey, answer);
    await Promise.all([
      client.invalidateQueries({ queryKey: queryKeys.revisions(level, scope) }),
      ...(from === null ? [] : [client.invalidateQueries({ queryKey: queryKeys.settings(from.id) })]),
    ]);
    end('saved');
  };
  return {
    ask: (change) => new Promise((answer) => setAsked({ ...change, answer })),
    dialog: asked !== null && (
      <SaveDialog
        level={asked.level}
        scope={asked.scope}
        patch={asked.patch}
        from={from}
        save={(choice) => save(asked, choice)}
        onClose={() => end('kept')}
      />
    ),
  };
}
