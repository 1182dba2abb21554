/** Where the device sends its stream, and how that goes. */
import type { OutputStatus } from '#protocol/media.ts';
import type { DeviceDetail } from '#protocol/model/device.ts';
import { bytesWords, millisecondsWords } from '../figures/format.ts';
import type { Tone } from '../status/stream-words.ts';
import { useNow } from '../time/now.ts';
import { For } from '../time/times.tsx';
import { adaptationWords } from './adaptation-words.ts';
import classes from './device-page.module.css';
import { nextTryWords } from './next-try.ts';
import { Panel } from './panel.tsx';

const tones: { readonly [Kind in OutputStatus['state']['kind']]: Tone } = {
  streaming: 'live',
  connecting: 'starting',
  waiting: 'warn',
  stopped: 'quiet',
};

function OutputState({ state }: { readonly state: OutputStatus['state'] }) {
  const nowMs = useNow();
  switch (state.kind) {
    case 'streaming':
      return (
        <>
          Sending for <For since={state.since} />
        </>
      );
    case 'connecting':
      return `Connecting, attempt ${state.attempt}`;
    case 'waiting':
      return `Attempt ${state.attempt} failed; ${nextTryWords(state.nextTryAt, nowMs)}`;
    case 'stopped':
      return 'Stopped';
    default:
      return state satisfies never;
  }
}

export function OutputsPanel({ device }: { readonly device: DeviceDetail }) {
  // The recording has a card of its own.
  const outputs = device.outputs.filter(({ kind }) => kind !== 'recording');
  const adaptation = device.adaptation === null ? null : adaptationWords(device.adaptation, outputs);
  return (
    <Panel title="Outputs">
      {adaptation !== null && (
        <p className={classes['adaptation']} data-tone="warn" data-testid="adaptation">
          {adaptation}
        </p>
      )}
      {outputs.length === 0 && <p className={classes['none']}>None reported.</p>}
      <ul className={`plain-list ${classes['outputs']}`}>
        {outputs.map((output) => (
          <li key={output.id} data-tone={tones[output.state.kind]} data-output-state={output.state.kind}>
            <div className={classes['outputTitle']}>
              <strong>{output.kind.toUpperCase()}</strong>
              <span className={classes['outputState']}>
                <OutputState state={output.state} />
              </span>
            </div>
            <code className={classes['target']}>{output.target}</code>
            {output.state.kind === 'waiting' && <p className={classes['lastError']}>{output.state.lastError}</p>}
            <p className={`figure ${classes['outputFigures']}`}>
              {`${bytesWords(output.bytesSent)} sent · ${output.connections} ${output.connections === 1 ? 'connection' : 'connections'} · `}
              {`${output.droppedGroups} dropped · ${bytesWords(output.queuedBytes)} queued`}
              {output.lagMs === undefined ? '' : ` · ${millisecondsWords(output.lagMs)} behind`}
            </p>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
