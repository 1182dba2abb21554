/** Lines of a device's log as the fleet server tells them, while the page is open. */
import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Check } from 'typebox/value';
import { DeviceLog } from '#protocol/model/log.ts';
import { pathOf } from '../api/api.ts';
import { queryKeys } from '../api/query-keys.ts';
import { pauseMs } from '../live/live-channel.ts';
import { withNewLines } from './log-lines.ts';

/** Null: not such an event. */
export function readLog(data: unknown): DeviceLog | null {
  if (typeof data !== 'string') return null;
  try {
    const value: unknown = JSON.parse(data);
    return Check(DeviceLog, value) ? value : null;
  } catch {
    return null;
  }
}

/** The answer ends it. The browser comes back by itself, with the last id that it has; a connection that was refused is tried again with growing pauses. */
function follow(client: QueryClient, id: string, onState: (isOpen: boolean) => void): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let attempt = 0;
  const connect = (): void => {
    const opened = new EventSource(`/api/v1${pathOf('devices', id, 'logs', 'live')}`);
    source = opened;
    opened.addEventListener('open', () => {
      attempt = 0;
      onState(true);
    });
    opened.addEventListener('error', () => {
      onState(false);
      if (opened.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(connect, pauseMs(attempt, Math.random()));
      attempt += 1;
    });
    opened.addEventListener('log', ({ data }) => {
      const log = readLog(data);
      if (log !== null) client.setQueryData<DeviceLog>(queryKeys.deviceLog(id), (before) => withNewLines(before, log));
    });
  };
  connect();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}

/** Whether the lines come at this moment; null before it is known. */
export function useLiveLog(id: string): boolean | null {
  const client = useQueryClient();
  const [isOpen, setOpen] = useState<boolean | null>(null);
  useEffect(() => follow(client, id, setOpen), [client, id]);
  return isOpen;
}
