/** Keeps the page in step with the world, and tells it when it may not be. */
import { useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react';
import { queryKeys } from '../api/query-keys.ts';
import { serverNowMs } from '../api/server-clock.ts';
import { affectedQueries } from './affected.ts';
import { type ChannelState, LiveChannel } from './live-channel.ts';
import { notePreview } from './preview-times.ts';
import { RefreshQueue } from './refresh-queue.ts';

/** A channel that is back within this time was never worth a word. */
const graceMs = 2000;

type LiveState = {
  readonly kind: ChannelState['kind'];
  /** What is shown may be older than the world. */
  readonly isStale: boolean;
};

const LiveContext = createContext<LiveState>({ kind: 'connecting', isStale: false });

export function useLive(): LiveState {
  return useContext(LiveContext);
}

function after(delayMs: number, act: () => void): () => void {
  const timer = setTimeout(act, delayMs);
  return () => clearTimeout(timer);
}

export function LiveProvider({ children }: { readonly children: ReactNode }) {
  const client = useQueryClient();
  const [kind, setKind] = useState<ChannelState['kind']>('connecting');
  const [isStale, setStale] = useState(false);

  useEffect(() => {
    const queue = new RefreshQueue({
      refresh: (prefixes) => Promise.all(prefixes.map((queryKey) => client.invalidateQueries({ queryKey: [...queryKey] }))),
      after,
    });
    const channel = new LiveChannel({
      onChange: (change) => {
        if (change.subject === 'device-preview' && change.deviceId !== undefined) notePreview(change.deviceId, serverNowMs());
        queue.add(affectedQueries(change));
      },
      onState: (state) => {
        setKind(state.kind);
        // Whatever happened before it opened was not told: everything is read again.
        if (state.kind === 'open') void client.invalidateQueries();
      },
      onRefused: () => void client.invalidateQueries({ queryKey: queryKeys.session }),
    });
    channel.start();
    return () => {
      channel.stop();
      queue.stop();
    };
  }, [client]);

  useEffect(() => {
    if (kind === 'open') {
      setStale(false);
      return;
    }
    return after(graceMs, () => setStale(true));
  }, [kind]);

  return <LiveContext value={{ kind, isStale }}>{children}</LiveContext>;
}
