/**
 * What became of a stream or a recording that was switched, as the media host says it: a command is done when the file grows
 * or the target has the stream, not when it was asked for.
 */
import type { Clock } from '#device/media/clock.ts';
import type { MediaStatus } from '#device/media/host-protocol.ts';
import type { ApplyOutcome } from '#device/media/media-host-supervisor.ts';
import { type Outlet, outletOf } from '#device/schedule/outlets.ts';
import { mainOutputId, type OutputStatus } from '#protocol/media.ts';

const boundMs = 20_000;

export type OutletWatch = {
  readonly clock: Clock;
  readonly onStatus: (listener: (status: MediaStatus | null) => void) => () => void;
};

/** In words: what is done when it is on, and for how long each holds. */
type OutletWords = { readonly on: (output: OutputStatus) => string; readonly off: string; readonly none: string };

const words: Readonly<Record<Outlet, OutletWords>> = {
  record: {
    on: ({ recording }) => `recording to ${recording?.file ?? 'a file'} until the next settings`,
    off: 'nothing is recorded until the next settings',
    none: 'the recording has not begun yet; the device goes on trying',
  },
  stream: {
    on: ({ target }) => `streaming to ${target}`,
    off: 'nothing is streamed until it is started again, or the settings of the stream change',
    none: 'there is no target to stream to yet: set AV_STREAM_URL, or let the device join its fleet',
  },
};

/** Begin it before the switch is turned: what the host says in between counts. */
export function whenOutletIs(outlet: Outlet, isOn: boolean, { clock, onStatus }: OutletWatch): Promise<ApplyOutcome> {
  return new Promise((resolve) => {
    let last = 'the media host said nothing';
    const settle = (outcome: ApplyOutcome): void => {
      unsubscribe();
      cancel();
      resolve(outcome);
    };
    const unsubscribe = onStatus((status) => {
      if (status === null) return;
      const outputs = status.outputs.filter(({ kind }) => outletOf(kind) === outlet);
      // The other targets are extras: their condition says when one is down.
      const first = outputs.find(({ id }) => id === mainOutputId) ?? outputs[0];
      if (!isOn && first === undefined) settle({ kind: 'applied', detail: words[outlet].off });
      else if (isOn && first?.state.kind === 'streaming') settle({ kind: 'applied', detail: words[outlet].on(first) });
      last = describe(outlet, first);
    });
    const cancel = clock.schedule(() => settle({ kind: 'failed', reason: last }), boundMs);
  });
}

function describe(outlet: Outlet, output: OutputStatus | undefined): string {
  if (output === undefined) return words[outlet].none;
  const { state } = output;
  if ('lastError' in state && state.lastError !== undefined) return `${state.lastError}; the device goes on trying`;
  return `the ${outlet === 'record' ? 'recording' : 'stream'} has not changed its state in time`;
}
