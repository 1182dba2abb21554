/** What a running agent says of what it holds: camera, encoder, microphone, streams, conditions. Pure. */
import { type Check, fail, pass, warn } from '#device/doctor/check.ts';
import { judgeRunningTarget } from '#device/doctor/judge-target.ts';
import { conditionDefinitions, isConditionCode } from '#protocol/conditions.ts';
import type { Health } from '#protocol/messages.ts';

/** Of targets that it does not stream to it says nothing. */
export function agentsWord(health: Health, targets: readonly { readonly id: string; readonly target: string }[]): readonly Check[] {
  const streams = targets.flatMap(({ id, target }) => {
    const state = health.outputs.find((output) => output.id === id)?.state;
    return state === undefined ? [] : [judgeRunningTarget(id, target, state)];
  });
  const told = health.conditions.map(({ code, detail }) => {
    const definition = isConditionCode(code) ? conditionDefinitions[code] : null;
    return warn('condition', `${definition?.title ?? code}${detail === undefined ? '' : `: ${detail}`}`, definition?.advice ?? '');
  });
  return [camera(health), ...encoder(health), ...microphone(health), ...preview(health), ...streams, ...told];
}

function camera({ media, figures }: Health): Check {
  const rate = figures === null ? '' : ` (${figures.width}x${figures.height}, ${figures.framesPerSecond.toFixed(1)} frames a second)`;
  if (media.kind === 'running') return pass('camera', `the agent captures${rate}`);
  const reason = 'reason' in media ? `: ${media.reason}` : '';
  return fail('camera', `the agent’s capture is ${media.kind}${reason}`, 'Look at the camera’s cable.');
}

function encoder({ media, figures }: Health): readonly Check[] {
  if (media.kind !== 'running' || figures === null) return [];
  const given = `the agent’s gives ${Math.round(figures.videoBitrateKbps)} kbit/s`;
  if (figures.videoBitrateKbps > 0) return [pass('encoder', given)];
  // Of one second, which a busy board may have spent on something else.
  return [warn('encoder', given, 'Run this again. If it stays so, stop the agent first: then each encoder is tried by itself.')];
}

/** A device streams without them: it is never more than a warning. */
function preview({ outputs }: Health): readonly Check[] {
  const state = outputs.find(({ kind }) => kind === 'preview')?.state;
  if (state === undefined || !('lastError' in state) || state.lastError === undefined) return [];
  return [warn('preview', state.lastError, 'Until that is mended the dashboard shows no new picture of this device; its stream goes on.')];
}

/** As the level is told: nothing at all. */
const silenceDbfs = -100;

/** Nothing where nothing is captured, or where sound is turned off. */
function microphone({ media, figures }: Health): readonly Check[] {
  if (media.kind !== 'running') return [];
  if (media.microphoneLostAt !== undefined) {
    const advice = 'Until that is mended the stream carries silence; another one can be chosen in AV_AUDIO_DEVICE.';
    return [fail('microphone', `the agent hears nothing of it: ${media.microphoneFault ?? 'it gives no sound'}`, advice)];
  }
  const levels = figures?.sound?.channels.map(({ peakDbfs }) => peakDbfs) ?? [];
  if (levels.length === 0) return [];
  const peakDbfs = Math.max(...levels);
  if (peakDbfs > silenceDbfs) return [pass('microphone', `the agent’s sound is at most ${peakDbfs.toFixed(0)} dBFS`)];
  return [
    warn('microphone', 'the agent’s stream carries silence', 'Plug one in, look at its mute switch, or choose one in AV_AUDIO_DEVICE.'),
  ];
}
