import { expect, test } from 'vitest';
import { type ConditionCode, type ConditionDefinition, conditionDefinitions, isExplained } from '#protocol/conditions.ts';

type Row = readonly [cause: string, present: readonly ConditionCode[], shown: readonly ConditionCode[]];

const definitions: Readonly<Record<string, ConditionDefinition>> = conditionDefinitions;

test.each<Row>([
  ['an uplink that is too narrow', ['uplink-slow', 'output-dropping'], ['output-dropping']],
  ['an uplink that is too narrow, once the encoder has followed', ['uplink-slow'], ['uplink-slow']],
  ['a weak radio', ['wifi-weak', 'uplink-slow', 'output-dropping'], ['wifi-weak']],
  ['memory that runs out', ['memory-low', 'frame-rate-low'], ['memory-low']],
  ['a hot board', ['board-hot', 'frame-rate-low'], ['board-hot']],
  ['a hot board that is held back', ['board-hot', 'throttled', 'frame-rate-low'], ['board-hot']],
  ['too little power', ['under-voltage', 'power-was-low', 'throttled', 'frame-rate-low'], ['under-voltage']],
  ['a capture that does not run', ['pipeline-failed', 'no-microphone', 'output-down'], ['pipeline-failed']],
  ['a camera that is away', ['no-signal', 'no-microphone', 'mode-not-met', 'picture-black'], ['no-signal']],
  ['no camera at all', ['test-picture', 'no-microphone', 'mode-not-met'], ['test-picture']],
  ['a relay that is down', ['relay-down', 'stream-not-arriving', 'output-down'], ['relay-down']],
])('one cause has one alarm: %s', (_cause, present, shown) => {
  const conditions = present.map((code) => ({ code }));
  expect(present.filter((code) => !isExplained(code, conditions))).toEqual(shown);
});

// Each of these may well be there without the other, and somebody has to mend both.
test.each<Row>([
  ['a target that refuses, and a weak radio', ['output-down', 'wifi-weak'], ['output-down', 'wifi-weak']],
  [
    'a disk for recordings that is away, and a card that refuses',
    ['recording-disk-away', 'recording-failed'],
    ['recording-disk-away', 'recording-failed'],
  ],
  ['a file that breaks off, and a board that is held back', ['video-file-fault', 'throttled'], ['video-file-fault', 'throttled']],
  ['a file that breaks off, and too little power', ['video-file-fault', 'under-voltage'], ['video-file-fault', 'under-voltage']],
  ['two disks that are full', ['recording-disk-full', 'disk-low'], ['recording-disk-full', 'disk-low']],
  ['two disks that refuse', ['recording-failed', 'disk-unwritable'], ['recording-failed', 'disk-unwritable']],
])('two causes have two: %s', (_cause, present, shown) => {
  const conditions = present.map((code) => ({ code }));
  expect(present.filter((code) => !isExplained(code, conditions))).toEqual(shown);
});

test('who is told of critical conditions only misses none: a critical one is explained by critical ones alone', () => {
  const hidden = Object.entries(definitions).flatMap(([code, { severity, dependsOn }]) =>
    severity === 'critical'
      ? dependsOn.filter((cause) => definitions[cause]?.severity !== 'critical').map((cause) => `${code} behind ${cause}`)
      : [],
  );
  expect(hidden).toEqual([]);
});

test('something is always shown: no condition explains itself, not even by others', () => {
  const causesOf = (code: string, seen: readonly string[]): readonly string[] =>
    (definitions[code]?.dependsOn ?? []).flatMap((cause) =>
      seen.includes(cause) ? [cause] : [cause, ...causesOf(cause, [...seen, cause])],
    );
  expect(Object.keys(definitions).filter((code) => causesOf(code, []).includes(code))).toEqual([]);
  expect(Object.values(definitions).flatMap(({ dependsOn }) => dependsOn.filter((cause) => definitions[cause] === undefined))).toEqual([]);
});
