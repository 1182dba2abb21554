/**
 * The state of a device's stream, from what the device says and what the relay receives.
 *
 * INVARIANT: `live` is answered if, and only if, the relay receives media from the device at this moment, and the device does
 * not say that the card is on air in its camera's place.
 */
import type { RelayHealth } from '#fleet-server/servers/relay-health.ts';
import type { Condition, ConditionCode } from '#protocol/conditions.ts';
import { type MediaState, mainOutputId, type OutputStatus } from '#protocol/media.ts';
import type { DevicePresence, RelayReception, StreamState } from '#protocol/model/device.ts';

export type StreamView = {
  readonly waitingSinceMs: number | null;
  readonly blockedSinceMs: number | null;
  readonly presence: DevicePresence;
  readonly media: MediaState | null;
  readonly outputs: readonly OutputStatus[];
  readonly conditions: readonly Condition[];
  readonly reception: RelayReception | null;
  readonly streamsHere: boolean;
  readonly missingSinceMs: number | null;
  readonly relayProblem: RelayHealth | null;
};

/** The relay is asked twice a second: a stream that has just begun may not be in its answer yet. */
export const arrivalGraceMs = 3000;

export const blockedText = 'It is blocked: nothing of it is let in until somebody lets it in again.';

export function streamState(view: StreamView, nowMs: number): Pick<StreamState, 'kind' | 'detail'> {
  const { presence, media, reception } = view;
  if (reception !== null && presence.state === 'online' && media?.kind === 'no-signal') return noSignal(media.reason);
  if (reception !== null) {
    // A stream outlives its agent: the relay's word is the proof, whoever else is silent.
    return { kind: 'live', detail: presence.state === 'online' ? '' : 'The stream arrives, but its agent is not connected.' };
  }
  if (view.blockedSinceMs !== null) return { kind: 'offline', detail: blockedText };
  if (presence.state === 'offline') return { kind: 'offline', detail: presence.reason };
  if (presence.state === 'unknown') return { kind: 'unknown', detail: presence.reason };
  if (media === null) return { kind: 'unknown', detail: 'It is connected and has not reported yet.' };
  // Whatever its camera does meanwhile: nothing is to be on air, and nothing is.
  if (isStoppedByCommand(view)) return { kind: 'stopped', detail: 'By command, until somebody starts it again.' };
  switch (media.kind) {
    case 'starting':
      return { kind: 'starting', detail: 'The pipeline starts.' };
    case 'failed':
      return { kind: 'failed', detail: media.reason };
    case 'stopped':
      return { kind: 'stopped', detail: 'The pipeline is stopped.' };
    case 'running':
      return runningState(view, nowMs);
    case 'no-signal': {
      const state = runningState(view, nowMs);
      return state.kind === 'elsewhere' ? noSignal(media.reason) : state;
    }
    default:
      return media satisfies never;
  }
}

function noSignal(reason: string): Pick<StreamState, 'kind' | 'detail'> {
  return { kind: 'no-signal', detail: `The card that says so is on air: ${reason}`.slice(0, 500) };
}

function runningState(view: StreamView, nowMs: number): Pick<StreamState, 'kind' | 'detail'> {
  const rtmp = view.outputs.find((output) => output.id === mainOutputId);
  if (rtmp === undefined) return { kind: 'stopped', detail: whyWithoutTarget(view) };
  const { relayProblem } = view;
  if (relayProblem !== null && view.streamsHere && rtmp.state.kind !== 'stopped') {
    // The relay of a server that is gone may still receive it: nobody can tell.
    const isHidden = relayProblem.kind === 'gone' && rtmp.state.kind === 'streaming';
    return { kind: isHidden ? 'unknown' : 'not-arriving', detail: relayProblem.detail };
  }
  switch (rtmp.state.kind) {
    case 'connecting':
      return { kind: 'starting', detail: connectingWords(rtmp.target, rtmp.state.lastError) };
    case 'waiting':
      return view.streamsHere
        ? { kind: 'not-arriving', detail: `It cannot reach the relay: ${rtmp.state.lastError}`.slice(0, 500) }
        : { kind: 'failed', detail: `It cannot reach ${rtmp.target}: ${rtmp.state.lastError}`.slice(0, 500) };
    case 'stopped':
      return { kind: 'stopped', detail: 'The output is stopped.' };
    case 'streaming':
      if (!view.streamsHere) return { kind: 'elsewhere', detail: `It says that it streams to ${rtmp.target}.` };
      if (view.missingSinceMs === null || nowMs - view.missingSinceMs < arrivalGraceMs) {
        return { kind: 'starting', detail: 'It streams; waiting for the relay to receive it.' };
      }
      return { kind: 'not-arriving', detail: 'It says that it streams, and the relay receives nothing.' };
    default:
      return rtmp.state satisfies never;
  }
}

function connectingWords(target: string, lastError: string | undefined): string {
  return lastError === undefined ? `It connects to ${target}.` : `It connects to ${target} again: ${lastError}`.slice(0, 500);
}

const pausing: ConditionCode = 'outside-schedule';
const stopping: ConditionCode = 'stopped-by-command';

/** Whether nothing of it is to be on air: by its schedule, or because somebody asked for that. */
export function isOffOnPurpose({ conditions }: Pick<StreamView, 'conditions'>): boolean {
  return conditions.some(({ code }) => code === pausing || code === stopping);
}

/** Whether somebody took it off the air on purpose. */
function isStoppedByCommand({ conditions }: Pick<StreamView, 'conditions'>): boolean {
  return conditions.some(({ code }) => code === stopping);
}

function whyWithoutTarget({ conditions, waitingSinceMs }: StreamView): string {
  if (waitingSinceMs !== null) return 'It captures, and waits for approval: until then it has no stream key.';
  const pause = conditions.find(({ code }) => code === pausing)?.detail;
  return pause === undefined ? 'It captures, and has no stream target.' : `By its schedule: ${pause}.`;
}

/** Whether the device claims, at this moment, that its stream goes to this fleet's relay. */
export function claimsToStreamHere(view: Pick<StreamView, 'presence' | 'media' | 'outputs' | 'streamsHere'>): boolean {
  return (
    view.presence.state === 'online' &&
    (view.media?.kind === 'running' || view.media?.kind === 'no-signal') &&
    view.streamsHere &&
    view.outputs.some((output) => output.id === mainOutputId && output.state.kind === 'streaming')
  );
}
