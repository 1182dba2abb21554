/** The states of a stream in words and tones. "Live" is said of one kind only: the one the relay proves. Pure. */
import type { DevicePresence, SettingsState, StreamState } from '#protocol/model/device.ts';

export type StreamKind = StreamState['kind'];
/** A tone is a colour by its meaning; global.css gives it its shade. */
export type Tone = 'live' | 'starting' | 'warn' | 'bad' | 'elsewhere' | 'quiet';

const streamLooks: { readonly [Kind in StreamKind]: { readonly words: string; readonly tone: Tone } } = {
  live: { words: 'Live', tone: 'live' },
  starting: { words: 'Starting', tone: 'starting' },
  'no-signal': { words: 'No signal', tone: 'bad' },
  'not-arriving': { words: 'Not arriving', tone: 'warn' },
  failed: { words: 'Failed', tone: 'bad' },
  elsewhere: { words: 'Streams elsewhere', tone: 'elsewhere' },
  stopped: { words: 'Stopped', tone: 'quiet' },
  unknown: { words: 'Unknown', tone: 'quiet' },
  offline: { words: 'Offline', tone: 'bad' },
};

export function streamWords(kind: StreamKind): string {
  return streamLooks[kind].words;
}

export function streamTone(kind: StreamKind): Tone {
  return streamLooks[kind].tone;
}

/** With the live channel lost, what is on the screen was true once. */
export function streamLabel(kind: StreamKind, isStale: boolean): string {
  return isStale ? `Last known: ${streamWords(kind).toLowerCase()}` : streamWords(kind);
}

export const presenceWords: { readonly [State in DevicePresence['state']]: string } = {
  online: 'Connected',
  offline: 'Disconnected',
  unknown: 'Not heard of yet',
};

export const settingsWords: { readonly [Kind in SettingsState['kind']]: string } = {
  applied: 'Settings applied',
  pending: 'Settings pending',
  refused: 'Settings refused',
  drifted: 'Settings drifted',
};
