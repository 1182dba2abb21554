/** How the settings are laid out. Pure. */
import { type SettingDefinition, type SettingKey, settingDefinitions, settingKeys } from '#protocol/settings.ts';
import { furtherNumbers, furtherTargets } from '#protocol/stream-targets.ts';

export type SettingGroup = { readonly title: string; readonly keys: readonly SettingKey[] };

const [firstFurther] = furtherNumbers;

const laidOut: readonly SettingGroup[] = [
  {
    title: 'Picture',
    keys: ['AV_VIDEO_SOURCE', 'AV_VIDEO_BITRATE', 'AV_VIDEO_WIDTH', 'AV_VIDEO_HEIGHT', 'AV_VIDEO_FRAMERATE', 'AV_VIDEO_ROTATE'],
  },
  { title: 'Sound', keys: ['AV_DISABLE_AUDIO', 'AV_AUDIO_DEVICE', 'AV_AUDIO_SAMPLING_RATE', 'AV_AUDIO_BITRATE'] },
  { title: 'Target', keys: ['AV_STREAM_URL', 'AV_STREAM_KEY'] },
  { title: 'Hours', keys: ['AV_STREAM_SCHEDULE', 'AV_RECORD_SCHEDULE', 'AV_TIME_ZONE'] },
  {
    title: 'Further targets',
    keys: [...furtherTargets.flatMap(({ address, key }) => [address, key]), 'AV_ICECAST_URL'],
  },
  {
    title: 'Advanced',
    keys: ['AV_ADAPTIVE_BITRATE', 'AV_VIDEO_BITRATE_MIN', 'AV_KEYFRAME_INTERVAL', 'AV_PREVIEW_INTERVAL', 'AV_H264_ENCODER_PARAMS'],
  },
];

/** Of the further targets those that are in use, and one more: most devices have none. */
export function shownKeys(keys: readonly SettingKey[], isUsed: (key: SettingKey) => boolean): readonly SettingKey[] {
  const used = furtherTargets.filter(({ address, key }) => isUsed(address) || isUsed(key)).map(({ number }) => number);
  const last = Math.max(firstFurther - 1, ...used) + 1;
  const hidden = new Set(furtherTargets.filter(({ number }) => number > last).flatMap(({ address, key }) => [address, key]));
  return keys.filter((key) => !hidden.has(key));
}

export function definitionOf(key: SettingKey): SettingDefinition {
  return settingDefinitions[key];
}

/** Every setting that can be set from here; one that nobody laid out yet stands under Advanced. */
export function settingGroups(): readonly SettingGroup[] {
  const placed = new Set(laidOut.flatMap(({ keys }) => keys));
  const rest = settingKeys.filter((key) => definitionOf(key).remote && !placed.has(key));
  return laidOut.map((group) => (group.title === 'Advanced' ? { ...group, keys: [...group.keys, ...rest] } : group));
}
