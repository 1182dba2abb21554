import { expect, test } from 'vitest';
import { notDone } from '#fleet-server/web/devices/batch-words.ts';

test('what failed is named before what is still open; what is done is not named', () => {
  const states = ['done', 'sent', 'failed', 'waiting', 'expired', 'refused'] as const;
  const commands = states.map((state) => ({ deviceId: `d-${state}`, id: state, state, finishedAt: null, detail: '' }));
  expect(notDone({ commands }).map(({ state }) => state)).toEqual(['failed', 'expired', 'refused', 'sent', 'waiting']);
});
