/** What the device found that a setting may name. Pure. */
import type { Inventory } from '#protocol/messages.ts';
import type { SettingKey } from '#protocol/settings.ts';
import type { Choices } from './setting-input.tsx';

export function deviceChoices(inventory: Inventory | null): { readonly [K in SettingKey]?: Choices } {
  if (inventory === null) return {};
  return {
    AV_VIDEO_SOURCE: [
      ...inventory.cameras.map(({ id, name, path }) => ({ value: id, words: `${name} (${path})` })),
      { value: 'test', words: 'Test picture with a clock' },
    ],
    AV_AUDIO_DEVICE: inventory.microphones.map(({ name, alsaDevice }) => ({ value: alsaDevice, words: name })),
  };
}
