/** What became of a switched recording, as the media host says it: a command is done when the file grows, not when it was asked for. */
import type { Clock } from '#device/media/clock.ts';
import type { MediaStatus } from '#device/media/host-protocol.ts';
import type { ApplyOutcome } from '#device/media/media-host-supervisor.ts';
import type { OutputStatus } from '#protocol/media.ts';

const boundMs = 20_000;

export type RecordingWatch = {
  readonly clock: Clock;
  readonly onStatus: (listener: (status: MediaStatus | null) => void) => () => void;
};

/** Begin it before the switch is turned: what the host says in between counts. */
export function whenRecordingIs(isOn: boolean, { clock, onStatus }: RecordingWatch): Promise<ApplyOutcome> {
  return new Promise((resolve) => {
    let last = 'the media host said nothing';
    const settle = (outcome: ApplyOutcome): void => {
      unsubscribe();
      cancel();
      resolve(outcome);
    };
    const unsubscribe = onStatus((status) => {
      if (status === null) return;
      const recording = status.outputs.find(({ kind }) => kind === 'recording');
      const detail = doneDetail(isOn, recording);
      if (detail !== null) settle({ kind: 'applied', detail });
      last = describe(recording);
    });
    const cancel = clock.schedule(() => settle({ kind: 'failed', reason: last }), boundMs);
  });
}

function doneDetail(isOn: boolean, recording: OutputStatus | undefined): string | null {
  if (!isOn) return recording === undefined ? 'nothing is recorded until the next settings' : null;
  if (recording?.state.kind !== 'streaming') return null;
  return `recording to ${recording.recording?.file ?? 'a file'} until the next settings`;
}

function describe(recording: OutputStatus | undefined): string {
  if (recording === undefined) return 'the recording has not begun yet; the device goes on trying';
  const { state } = recording;
  return state.kind === 'waiting' ? `${state.lastError}; the device goes on trying` : 'the recording has not changed its state in time';
}
