/** The figures of the stream, of the board, and what the device is made of. */
import type { DeviceDetail } from '#protocol/model/device.ts';
import {
  bitrateOfWords,
  bitrateWords,
  bytesWords,
  clockOffsetWords,
  framesWords,
  loadWords,
  sizeWords,
  temperatureWords,
  usedWords,
  wifiWords,
} from '../figures/format.ts';
import { Ago, For } from '../time/times.tsx';
import { durationWords } from '../time/words.ts';
import { Facts, Panel } from './panel.tsx';

export function StreamPanel({ device }: { readonly device: DeviceDetail }) {
  const { relay, source, adaptation } = device;
  const figures = device.presence.state === 'online' ? device.figures : null;
  return (
    <Panel title="Stream">
      <Facts
        facts={[
          { name: 'Source', value: source === null ? null : source.label, ...(source === null ? {} : { title: source.id }) },
          { name: 'Relay receives', value: relay === null ? 'nothing' : bitrateWords(relay.bitrateKbps) },
          { name: 'Received for', value: relay === null ? null : <For since={relay.receivingSince} /> },
          { name: 'Received size', value: relay === null ? null : sizeWords(relay.width, relay.height) },
          {
            name: 'Codecs',
            value: relay === null ? null : [relay.videoCodec, relay.audioCodec].filter((codec) => codec !== null).join(' + '),
          },
          { name: 'Viewers', value: relay === null ? null : relay.viewers },
          {
            name: 'Bitrate allowed',
            value: adaptation === null ? null : bitrateOfWords(adaptation.bitrateKbps, adaptation.targetKbps),
            title: 'What the encoder may give: it follows the uplink',
          },
          { name: 'Encoder, video', value: figures === null ? null : bitrateWords(figures.videoBitrateKbps) },
          { name: 'Encoder, sound', value: figures === null ? null : bitrateWords(figures.audioBitrateKbps) },
          { name: 'Frames', value: figures === null ? null : framesWords(figures.framesPerSecond) },
          { name: 'Encoded size', value: figures === null ? null : sizeWords(figures.width, figures.height) },
        ]}
      />
    </Panel>
  );
}

export function BoardPanel({ device }: { readonly device: DeviceDetail }) {
  const { board, versions, inventory } = device;
  const health = device.presence.state === 'online' ? board : null;
  const memoryUsed = usedWords(health?.memoryTotalBytes, health?.memoryAvailableBytes);
  return (
    <Panel title="Device">
      <Facts
        facts={[
          { name: 'Board', value: device.boardName },
          { name: 'Temperature', value: health?.temperatureC === undefined ? null : temperatureWords(health.temperatureC) },
          { name: 'Throttled', value: health?.throttled === undefined ? null : health.throttled ? 'yes' : 'no' },
          { name: 'Power now', value: health?.powerNow === undefined ? null : health.powerNow.join(', ') },
          { name: 'Load (1 min)', value: health === null ? null : loadWords(health.loadAverage1m) },
          { name: 'Memory', value: health === null ? null : `${memoryUsed} of ${bytesWords(health.memoryTotalBytes)}` },
          { name: 'Disk free', value: health === null ? null : bytesWords(health.diskFreeBytes) },
          { name: 'Card worn', value: health?.cardWearPercent === undefined ? null : `${health.cardWearPercent} %` },
          { name: 'Wi-Fi', value: health === null ? null : wifiWords(health) },
          { name: 'Sends', value: health?.uplinkKbps === undefined ? null : bitrateWords(health.uplinkKbps) },
          {
            name: 'Clock',
            value: health?.clockOffsetMs === undefined ? null : clockOffsetWords(health.clockOffsetMs, health.clockPrecisionMs),
            title: 'Against the fleet server’s',
          },
          { name: 'Agent memory', value: health === null ? null : bytesWords(health.agentRssBytes) },
          { name: 'Media host memory', value: health === null ? null : bytesWords(health.mediaHostRssBytes) },
          { name: 'Running for', value: health === null ? null : durationWords(health.uptimeS * 1000) },
          { name: 'Cameras', value: inventory === null ? null : names(inventory.cameras) },
          { name: 'Microphones', value: inventory === null ? null : names(inventory.microphones) },
          { name: 'Encoders', value: inventory === null ? null : inventory.encoders.join(', ') },
          { name: 'Agent', value: versions?.agent },
          { name: 'GStreamer', value: versions?.gstreamer },
          { name: 'Node', value: versions?.node },
          { name: 'System', value: versions?.os },
          { name: 'Id', value: device.id },
          { name: 'Joined', value: <Ago at={device.joinedAt} /> },
          { name: 'Last heard', value: device.lastHeardAt === null ? null : <Ago at={device.lastHeardAt} /> },
        ]}
      />
    </Panel>
  );
}

function names(things: readonly { readonly name: string }[]): string {
  return things.length === 0 ? 'none' : things.map(({ name }) => name).join(', ');
}
