/** The level of each channel, and whether sound and picture keep together: of one second, told each ten. */
import type { DeviceDetail } from '#protocol/model/device.ts';
import { channelName, driftWords, levelNumber, levelShare, levelTone, levelWords, meterFloorDbfs } from '../figures/levels.ts';
import { Facts, Panel } from './panel.tsx';
import classes from './sound-panel.module.css';

type Channel = { readonly peakDbfs: number; readonly rmsDbfs: number };

function LevelMeter({ name, channel }: { readonly name: string; readonly channel: Channel }) {
  const { peakDbfs, rmsDbfs } = channel;
  const percent = (dbfs: number) => `${Math.round(1000 * levelShare(dbfs)) / 10}%`;
  return (
    <div className={classes['row']}>
      <span className={classes['name']}>{name}</span>
      <div className={classes['meter']} data-tone={levelTone(peakDbfs)}>
        <meter
          className={classes['spoken']}
          aria-label={`Sound level, ${name.toLowerCase()}`}
          aria-valuetext={`peak ${levelWords(peakDbfs)}, RMS ${levelWords(rmsDbfs)}`}
          min={meterFloorDbfs}
          max={0}
          value={Math.max(meterFloorDbfs, peakDbfs)}
        />
        <span className={classes['rms']} style={{ width: percent(rmsDbfs) }} />
        <span className={classes['peak']} style={{ left: percent(peakDbfs) }} hidden={peakDbfs <= meterFloorDbfs} />
      </div>
      <span className={`figure ${classes['numbers']}`} aria-hidden>
        {levelNumber(peakDbfs)}
        <span className="dim">{levelNumber(rmsDbfs)}</span>
      </span>
    </div>
  );
}

const marksDbfs = [-60, -40, -20, 0] as const;

export function SoundPanel({ device }: { readonly device: DeviceDetail }) {
  const figures = device.presence.state === 'online' ? device.figures : null;
  const { sound, audioVideoDriftMs } = figures ?? {};
  if (sound === undefined && audioVideoDriftMs === undefined) return null;
  return (
    <Panel title="Sound">
      {sound !== undefined && (
        <div className={classes['meters']} data-testid="sound-levels">
          <div className={classes['row']} aria-hidden>
            <span className={classes['name']} />
            <span />
            <span className={`dim ${classes['numbers']}`}>
              peak
              <span>RMS</span>
            </span>
          </div>
          {sound.channels.map((channel, index) => {
            const name = channelName(index, sound.channels);
            return <LevelMeter key={name} name={name} channel={channel} />;
          })}
          <div className={classes['row']} aria-hidden>
            <span className={classes['name']} />
            <div className={classes['scale']}>
              {marksDbfs.map((mark) => (
                <span key={mark} style={{ left: `${100 * levelShare(mark)}%` }}>
                  {mark === 0 ? '0' : `−${-mark}`}
                </span>
              ))}
            </div>
            <span className={`dim ${classes['numbers']}`}>
              <span />
              <span>dBFS</span>
            </span>
          </div>
        </div>
      )}
      <Facts
        facts={[
          {
            name: 'With the picture',
            value: audioVideoDriftMs === undefined ? null : driftWords(audioVideoDriftMs),
            title: 'Since the capture began',
          },
        ]}
      />
    </Panel>
  );
}
