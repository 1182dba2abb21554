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

function OutputState({ output: { kind, state } }: { readonly output: Pick<OutputStatus, 'kind' | 'state'> }) {
  const nowMs = useNow();
  switch (state.kind) {
    case 'streaming':
      return (
        <>
          {kind === 'preview' ? 'Pictures come, for' : 'Sending for'} <For since={state.since} />
        </>
      );
    case 'connecting':
      return `${kind === 'preview' ? 'Waits for a picture' : 'Connecting'}, attempt ${state.attempt}`;
    case 'waiting':
      return `Attempt ${state.attempt} failed; ${nextTryWords(state.nextTryAt, nowMs)}`;
    case 'stopped':
      return state.lastError === undefined ? 'Stopped' : 'Cannot be had here';
    default:
      return state satisfies never;
  }
}

function toneOf(state: OutputStatus['state']): Tone {
  return state.kind === 'stopped' && state.lastError !== undefined ? 'warn' : tones[state.kind];
}

function figuresOf({ kind, bytesSent, connections, droppedGroups, queuedBytes, lagMs }: OutputStatus): string {
  if (kind === 'preview') return `${bytesWords(bytesSent)} of pictures`;
  return [
    `${bytesWords(bytesSent)} sent`,
    `${connections} ${connections === 1 ? 'connection' : 'connections'}`,
    `${droppedGroups} dropped`,
    `${bytesWords(queuedBytes)} queued`,
    ...(lagMs === undefined ? [] : [`${millisecondsWords(lagMs)} behind`]),
  ].join(' · ');
}

export function OutputsPanel({ device }: { readonly device: DeviceDetail }) {
  // The recording has a card of its own; the previews come last.
  const isPreview = ({ kind }: OutputStatus): boolean => kind === 'preview';
  const others = device.outputs.filter((output) => output.kind !== 'recording' && !isPreview(output));
  const outputs = [...others, ...device.outputs.filter(isPreview)];
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
          <li key={output.id} data-tone={toneOf(output.state)} data-output-state={output.state.kind}>
            <div className={classes['outputTitle']}>
              <strong>{output.kind.toUpperCase()}</strong>
              <span className={classes['outputState']}>
                <OutputState output={output} />
              </span>
            </div>
            <code className={classes['target']}>{output.target}</code>
            {'lastError' in output.state && output.state.lastError !== undefined && (
              <p className={classes['lastError']}>{output.state.lastError}</p>
            )}
            <p className={`figure ${classes['outputFigures']}`}>{figuresOf(output)}</p>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
