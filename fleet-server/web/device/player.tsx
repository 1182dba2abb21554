/** The live picture; while there is none, the newest preview with a word on top. */
import { ActionIcon, Tooltip } from '@mantine/core';
import { IconMaximize, IconVolume, IconVolumeOff } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { type DeviceDetail, Playback } from '#protocol/model/device.ts';
import { get, pathOf } from '../api/api.ts';
import { PreviewImage } from '../devices/preview-image.tsx';
import { StreamBadge } from '../status/stream-badge.tsx';
import { exactWords } from '../time/words.ts';
import { LivePlayer, type PlayerState } from './live-player.ts';
import classes from './player.module.css';
import { coverWords } from './player-words.ts';

export function Player({ device }: { readonly device: DeviceDetail }) {
  const video = useRef<HTMLVideoElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<PlayerState | null>(null);
  const [isMuted, setMuted] = useState(true);
  // The "no signal" card arrives like any other picture.
  const isLive = device.stream.kind === 'live' || (device.stream.kind === 'no-signal' && device.relay !== null);
  const { id } = device;

  useEffect(() => {
    const element = video.current;
    if (!isLive || element === null) return;
    const player = new LivePlayer({
      video: element,
      fetchPlayback: () => get(pathOf('devices', id, 'playback'), Playback),
      onState: setState,
    });
    player.start();
    return () => {
      player.stop();
      setState(null);
    };
  }, [isLive, id]);

  const isPlaying = isLive && state?.kind === 'playing';
  return (
    <div className={classes['frame']} ref={frame}>
      <video
        ref={video}
        className={classes['video']}
        data-testid="player-video"
        aria-label={`Live picture of ${device.name}`}
        muted={isMuted}
        autoPlay
        playsInline
      />
      {!isPlaying && (
        <div className={classes['cover']}>
          <PreviewImage device={device} isCovered />
          <p className={classes['words']} role="status" title={exactWords(device.stream.since)}>
            {coverWords(device.stream, state)}
          </p>
        </div>
      )}
      <span className={classes['state']}>
        <StreamBadge stream={device.stream} look="on-picture" />
      </span>
      {isPlaying && (
        <div className={classes['controls']}>
          {state.behindS !== null && (
            <span className={classes['delay']} title="How far the player is behind the newest picture at the relay">
              {`${Math.max(1, Math.round(state.behindS))} s behind`}
            </span>
          )}
          <Tooltip label={isMuted ? 'Sound on' : 'Sound off'}>
            <ActionIcon className={classes['control']} onClick={() => setMuted(!isMuted)} aria-label={isMuted ? 'Sound on' : 'Sound off'}>
              {isMuted ? <IconVolumeOff size={18} aria-hidden /> : <IconVolume size={18} aria-hidden />}
            </ActionIcon>
          </Tooltip>
          <Tooltip label="Full screen">
            <ActionIcon className={classes['control']} onClick={() => void frame.current?.requestFullscreen()} aria-label="Full screen">
              <IconMaximize size={18} aria-hidden />
            </ActionIcon>
          </Tooltip>
        </div>
      )}
    </div>
  );
}
