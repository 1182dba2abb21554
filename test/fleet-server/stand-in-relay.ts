/** A relay that runs and receives nothing. */
import type { Relay } from '#fleet-server/relay/contract.ts';

export function standInRelay(): Relay {
  return {
    playback: (deviceId, host) => ({
      rtmp: `rtmp://${host}/live/${deviceId}`,
      hls: `http://${host}/hls/${deviceId}`,
      expiresAt: '2026-11-21T12:10:00.000Z',
    }),
    state: () => ({ kind: 'running', processId: 1, adopted: false, restarts: 0, sinceMs: 0, detail: '' }),
    dropPublisher: async () => {},
    port: 1935,
    application: 'live',
  };
}
