/** What the device records on its own disk, and how much of it there is. */
import type { OutputStatus } from '#protocol/media.ts';
import type { DeviceDetail } from '#protocol/model/device.ts';
import { bytesWords } from '../figures/format.ts';
import { Ago, For } from '../time/times.tsx';
import { Facts, Panel } from './panel.tsx';
import { RecordingsList } from './recordings-list.tsx';

function RecordingState({ output }: { readonly output: OutputStatus | undefined }) {
  if (output === undefined) return 'off';
  const { state } = output;
  switch (state.kind) {
    case 'streaming':
      return (
        <>
          on for <For since={state.since} />
        </>
      );
    case 'waiting':
      return `paused: ${state.lastError}`;
    case 'connecting':
      return 'waits for the first picture';
    case 'stopped':
      return 'off';
    default:
      return state satisfies never;
  }
}

export function RecordingsPanel({ device }: { readonly device: DeviceDetail }) {
  const { recordings } = device;
  const output = device.outputs.find(({ kind }) => kind === 'recording');
  if (recordings === null && output === undefined) {
    return (
      <Panel title="Recordings">
        <p className="dim">
          {device.presence.state === 'online'
            ? 'Nothing is being recorded. “Record on the device” (AV_RECORD) in its settings changes that; “Start recording” records until the next settings.'
            : 'The device is not connected, and says nothing of its recordings.'}
        </p>
      </Panel>
    );
  }
  const file = output?.recording?.file ?? null;
  return (
    <Panel title="Recordings">
      <Facts
        facts={[
          { name: 'Recording', value: <RecordingState output={output} /> },
          { name: 'File', value: file === null ? null : `${file}, ${bytesWords(output?.recording?.fileBytes)}` },
          {
            name: 'Missing',
            value: output === undefined || output.droppedGroups === 0 ? null : `${output.droppedGroups} groups of pictures`,
          },
          { name: 'On the device', value: recordings === null ? null : `${recordings.count} (${bytesWords(recordings.totalBytes)})` },
          { name: 'Room for', value: recordings === null ? null : bytesWords(recordings.maximumBytes) },
          { name: 'Disk free', value: bytesWords(recordings?.freeBytes ?? output?.recording?.freeBytes) },
          { name: 'Protected', value: recordings === null ? null : recordings.protectedCount },
          { name: 'To be converted', value: recordings === null ? null : recordings.waitingCount },
          { name: 'Stay as FLV', value: recordings === null || recordings.unconvertibleCount === 0 ? null : recordings.unconvertibleCount },
          { name: 'Oldest', value: recordings === null || recordings.oldestAt === null ? null : <Ago at={recordings.oldestAt} /> },
          { name: 'Newest', value: recordings === null || recordings.newestAt === null ? null : <Ago at={recordings.newestAt} /> },
        ]}
      />
      <RecordingsList device={device} />
    </Panel>
  );
}
