/** Plays one HLS address in one video element, by hls.js or by the browser itself. */
import type Hls from 'hls.js';
import { withTicketOf } from './playback-rules.ts';

export type HlsSource = {
  /** How far behind the newest received picture it plays; null when not known. */
  behindS(): number | null;
  jumpToLive(): void;
  /** Goes on under a new ticket. */
  renew(address: string): void;
  destroy(): void;
};

/** Seconds of what was played that are kept. */
const keptBehindS = 20;
const requestTimeoutMs = 8000;

export async function openHls(video: HTMLVideoElement, address: string, onFailed: (reason: string) => void): Promise<HlsSource> {
  const { Hls: HlsPlayer } = await import('hls.js/light');
  if (HlsPlayer.isSupported()) return playWithHlsJs(HlsPlayer, video, address, onFailed);
  return playNatively(video, address, onFailed);
}

function playWithHlsJs(HlsPlayer: typeof Hls, video: HTMLVideoElement, address: string, onFailed: (reason: string) => void): HlsSource {
  let newest = address;
  // One try each: whoever opened this source tries again as a whole, with growing pauses.
  const policy = {
    default: { maxTimeToFirstByteMs: requestTimeoutMs, maxLoadTimeMs: requestTimeoutMs, timeoutRetry: null, errorRetry: null },
  };
  const patient = {
    default: {
      ...policy.default,
      errorRetry: { maxNumRetry: 3, retryDelayMs: 500, maxRetryDelayMs: 2000 },
      timeoutRetry: { maxNumRetry: 2, retryDelayMs: 0, maxRetryDelayMs: 0 },
    },
  };
  const hls = new HlsPlayer({
    enableWorker: false,
    liveSyncDurationCount: 2,
    maxLiveSyncPlaybackRate: 1.15,
    backBufferLength: keptBehindS,
    maxBufferLength: 15,
    manifestLoadPolicy: policy,
    playlistLoadPolicy: patient,
    fragLoadPolicy: patient,
    xhrSetup: (xhr, url) => xhr.open('GET', withTicketOf(url, newest), true),
  });
  hls.on(HlsPlayer.Events.ERROR, (_name, data) => {
    if (data.fatal) onFailed(data.details);
  });
  hls.loadSource(address);
  hls.attachMedia(video);
  return {
    behindS: () => (hls.liveSyncPosition === null ? null : Math.max(0, hls.latency)),
    jumpToLive: () => {
      const { liveSyncPosition } = hls;
      if (liveSyncPosition !== null) video.currentTime = liveSyncPosition;
    },
    renew: (renewed) => {
      newest = renewed;
    },
    destroy: () => hls.destroy(),
  };
}

function playNatively(video: HTMLVideoElement, address: string, onFailed: (reason: string) => void): HlsSource {
  const failed = (): void => onFailed(video.error?.message ?? 'the browser cannot play it');
  const liveEdge = (): number | null => (video.seekable.length === 0 ? null : video.seekable.end(video.seekable.length - 1));
  video.addEventListener('error', failed);
  video.src = address;
  return {
    behindS: () => {
      const edge = liveEdge();
      return edge === null ? null : Math.max(0, edge - video.currentTime);
    },
    jumpToLive: () => {
      const edge = liveEdge();
      if (edge !== null) video.currentTime = edge;
    },
    // The browser asks for the playlist under the old ticket until it ends: only a new start takes the new one.
    renew: (renewed) => {
      video.src = renewed;
      void video.play().catch(failed);
    },
    destroy: () => {
      video.removeEventListener('error', failed);
      video.removeAttribute('src');
      video.load();
    },
  };
}
