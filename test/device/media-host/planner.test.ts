import { describe, expect, it } from 'vitest';
import { captureSteps, outputSteps, withSilence } from '#device/media-host/planner.ts';
import type { PipelinePlan } from '#device/plan/pipeline-plan.ts';
import { previewPlan, testPlan } from '../media/test-plan.ts';

const plan = testPlan({ target: 'rtmp://relay/live' });
const faster = testPlan({ target: 'rtmp://relay/live', bitrateKbps: 900 });
const larger = testPlan({ target: 'rtmp://relay/live', picture: { width: 640, height: 360 } });
const preview = previewPlan({ width: 320, height: 180 });
const shown: PipelinePlan = { ...plan, preview };
const elsewhere = testPlan({ target: 'rtmp://elsewhere/live' });
const silent: PipelinePlan = { ...larger, capture: { ...larger.capture, hasAudio: false } };
const quiet: PipelinePlan = {
  ...larger,
  capture: { ...larger.capture, hasAudio: false, description: 'pictures alone', silenced: { description: 'pictures and silence' } },
};
const [relay] = plan.outputs;
const second = { id: 'second', kind: 'rtmp', target: 'rtmp://second/live', location: 'rtmp://second/live/x' } as const;
const both: PipelinePlan = { ...plan, outputs: [...plan.outputs, second] };
const otherKey: PipelinePlan = {
  ...plan,
  outputs: plan.outputs.map((output) => (output.kind === 'rtmp' ? { ...output, location: `${output.location}2` } : output)),
};

function withFile(path: string): PipelinePlan {
  return { ...plan, capture: { ...plan.capture, file: { path, within: null, pictures: ['video/x-h264'], soundRateHz: null } } };
}

function withCard(port: string): PipelinePlan {
  const card = { number: 1, usb: { port, id: '1234:0001', serial: null } };
  return { ...plan, capture: { ...plan.capture, withoutMicrophone: { description: 'silence', probe: 'probe', card } } };
}

/** Kind and id of each step. */
function words(running: PipelinePlan | null, wanted: PipelinePlan, isCaptureUp = true): string {
  return [...captureSteps(running, wanted, isCaptureUp), ...outputSteps(running, wanted)]
    .map((step) => {
      if (step.kind === 'stop-output') return `${step.kind} ${step.id}`;
      return step.kind === 'start-output' ? `${step.kind} ${step.output.target}` : step.kind;
    })
    .join(', ');
}

describe('from one plan to the next', () => {
  it.each([
    ['nothing ran', null, plan, true, 'switch-capture, start-output rtmp://relay/live'],
    ['nothing differs', plan, plan, true, ''],
    ['only what can change live differs', plan, faster, true, 'set-live'],
    ['the capture differs', plan, larger, true, 'switch-capture'],
    ['another file is to play', withFile('a'), withFile('b'), true, 'switch-capture'],
    ['another microphone has the number', withCard('1-1'), withCard('1-2'), true, 'switch-capture'],
    ['the same microphone has it', withCard('1-1'), withCard('1-1'), true, ''],
    ['the same file is to play', withFile('a'), withFile('a'), true, ''],
    ['the capture is down', plan, plan, false, 'switch-capture'],
    ['the target differs', plan, elsewhere, true, 'stop-output relay, start-output rtmp://elsewhere/live'],
    ['only the key differs', plan, otherKey, true, 'stop-output relay, start-output rtmp://relay/live'],
    ['an output comes', plan, both, true, 'start-output rtmp://second/live'],
    ['an output goes', both, plan, true, 'stop-output second'],
    ['previews are wanted', plan, shown, true, 'start-output pictures for the dashboard'],
    ['previews are not wanted any more', shown, plan, true, 'stop-output preview'],
    [
      'previews come at other times',
      shown,
      { ...shown, preview: { ...preview, intervalS: 9 } },
      true,
      'stop-output preview, start-output pictures for the dashboard',
    ],
    [
      'the sound goes, which is nothing to previews',
      shown,
      { ...silent, preview },
      true,
      'switch-capture, stop-output relay, start-output rtmp://relay/live',
    ],
    ['the sound comes', silent, larger, true, ''],
    ['the sound goes, and silence can stand in for it', plan, withSilence(plan, quiet), true, 'switch-capture'],
    [
      'the sound goes, and nothing can stand in for it',
      plan,
      silent,
      true,
      'switch-capture, stop-output relay, start-output rtmp://relay/live',
    ],
  ] as const)('%s', (_, running, wanted, isCaptureUp, expected) => {
    expect(words(running, wanted, isCaptureUp)).toBe(expected);
  });

  it('has silence for sound that goes only where a receiver was told of sound', () => {
    const heard = withSilence(plan, quiet);
    expect(heard.capture).toMatchObject({ description: 'pictures and silence', hasAudio: true });
    // Once more from an agent that has started anew: the same again.
    expect(withSilence(heard, quiet)).toEqual(heard);
    const card = { description: 'card', live: [], title: 'Hall' };
    const withCard = { ...quiet, capture: { ...quiet.capture, card, silenced: { description: 'x', card: 'card and silence' } } };
    expect(withSilence(plan, withCard).capture.card).toEqual({ ...card, description: 'card and silence' });
    for (const [running, wanted] of [
      [null, quiet],
      [quiet, quiet],
      [elsewhere, quiet],
      [plan, larger],
    ] as const) {
      expect(withSilence(running, wanted)).toBe(wanted);
    }
  });

  it('starts a capture with its live properties', () => {
    expect(captureSteps(plan, larger, true)).toEqual([{ kind: 'switch-capture', capture: larger.capture, live: larger.live }]);
    expect(relay?.kind).toBe('rtmp');
  });
});
