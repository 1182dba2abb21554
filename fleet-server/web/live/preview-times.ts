/** When the newest preview picture of each device came, as far as the live channel told. One entry a device. */
import { useSyncExternalStore } from 'react';

const times = new Map<string, number>();
const listeners = new Set<() => void>();

export function notePreview(deviceId: string, atMs: number): void {
  times.set(deviceId, atMs);
  for (const notify of listeners) notify();
}

export function forgetPreviews(): void {
  times.clear();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The newer one of what the device's row says and what the live channel said; null when there is no picture. */
export function usePreviewTime(deviceId: string, previewAt: string | null): number | null {
  const told = useSyncExternalStore(subscribe, () => times.get(deviceId) ?? null);
  const read = previewAt === null ? null : Date.parse(previewAt);
  return told === null || read === null ? (told ?? read) : Math.max(told, read);
}
