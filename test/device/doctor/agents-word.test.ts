import { expect, test } from 'vitest';
import { agentsWord } from '#device/doctor/agents-word.ts';
import type { Health } from '#protocol/messages.ts';
import { madeUpBoard } from '../made-up-board.ts';

const since = '2026-01-05T12:00:00.000Z';
const running: Health['media'] = { kind: 'running', since };
const figures = { framesPerSecond: 30, videoBitrateKbps: 2500, audioBitrateKbps: 128, framesTotal: 100, width: 1280, height: 720 };
const sound = (peakDbfs: number) => ({ channels: [{ peakDbfs, rmsDbfs: peakDbfs, clippedSamples: 0 }] });

const preview = {
  ...{ id: 'preview', kind: 'preview' as const, target: 'pictures for the dashboard' },
  ...{ connections: 1, bytesSent: 0, droppedGroups: 0, queuedBytes: 0 },
};

/** Subject and state of each check, then its words. */
function said(health: Partial<Health>): readonly string[] {
  const whole: Health = { media: running, figures, outputs: [], conditions: [], board: madeUpBoard, ...health };
  return agentsWord(whole, []).map(({ subject, state, detail }) => `${subject} ${state}: ${detail}`);
}

test.each([
  [
    'all is well',
    { figures: { ...figures, sound: sound(-20) } },
    [
      'camera pass: the agent captures (1280x720, 30.0 frames a second)',
      'encoder pass: the agent’s gives 2500 kbit/s',
      'microphone pass: the agent’s sound is at most -20 dBFS',
    ],
  ],
  [
    'the encoder gives nothing, and sound is turned off',
    { figures: { ...figures, framesPerSecond: 0, videoBitrateKbps: 0 } },
    ['camera pass: the agent captures (1280x720, 0.0 frames a second)', 'encoder warn: the agent’s gives 0 kbit/s'],
  ],
  [
    'a microphone that another program uses',
    { media: { ...running, microphoneLostAt: since, microphoneFault: 'another program uses it' } },
    [
      expect.stringMatching('camera pass'),
      expect.stringMatching('encoder pass'),
      'microphone fail: the agent hears nothing of it: another program uses it',
    ],
  ],
  [
    'no microphone at all',
    { figures: { ...figures, sound: sound(-100) } },
    [expect.stringMatching('camera pass'), expect.stringMatching('encoder pass'), 'microphone warn: the agent’s stream carries silence'],
  ],
  [
    'the card is on air',
    { media: { kind: 'no-signal' as const, since, reason: 'it was unplugged' }, figures: null },
    ['camera fail: the agent’s capture is no-signal: it was unplugged'],
  ],
  [
    'previews do not come',
    {
      media: { kind: 'stopped' as const, since },
      figures: null,
      outputs: [{ ...preview, state: { kind: 'stopped' as const, lastError: 'no JPEG encoder' } }],
    },
    ['camera fail: the agent’s capture is stopped', 'preview warn: no JPEG encoder'],
  ],
  [
    'previews come',
    { media: { kind: 'stopped' as const, since }, figures: null, outputs: [{ ...preview, state: { kind: 'streaming' as const, since } }] },
    ['camera fail: the agent’s capture is stopped'],
  ],
  [
    'a condition that only a newer agent knows',
    { media: { kind: 'stopped' as const, since }, figures: null, conditions: [{ code: 'melted', since, detail: 'it drips' }] },
    ['camera fail: the agent’s capture is stopped', 'condition warn: melted: it drips'],
  ],
])('%s', (_what, health: Partial<Health>, expected) => {
  expect(said(health)).toEqual(expected);
});
