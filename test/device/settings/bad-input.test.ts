/** Every setting with everything that is wrong, from the environment and from each remote level: refused in clear words, or harmless. */
import { Check } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import { describeProblems, environmentOf, readConfiguration } from '#device/configuration.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { resolveProfile } from '#device/profile/resolve.ts';
import { findWireProblems } from '#device/settings/accept.ts';
import { fitSettings, judgeSettings } from '#device/settings/prepare.ts';
import { SettingRefusal } from '#protocol/messages.ts';
import { type SettingDefinition, type SettingKey, type SettingValue, settingDefinitions, settingKeys } from '#protocol/settings.ts';
import { desired } from '../bare-machine.ts';
import { c270, microphone, server, withDevices } from '../plan/hardware.ts';

const profiles = await loadProfiles();
const hardware = withDevices(server, [c270], [microphone(1)]);
const machine = { hardware, profile: resolveProfile(hardware, profiles), environment: {}, fleetUrl: 'http://fleet.example' };
const marker = 'hush7';
const controlCharacter = /\p{Cc}/u;

/** Text as a variable of the environment, or over the wire. */
const texts: readonly (readonly [string, string])[] = [
  ['10 000 characters', `${marker}${'x'.repeat(10_000)}`],
  ['a newline', `${marker}\nx`],
  ['a newline and a setting', `1\nAV_STREAM_KEY=${marker}`],
  ['a zero byte', `${marker}\0`],
  ['an escape sequence', `${marker}\u001b[2J`],
  ['an element', `${marker} ! filesink location=/tmp/${marker}`],
  ['an element behind a quote', `${marker}" ! filesink location="/tmp/${marker}`],
  ['a single quote', `'${marker}`],
  ['a backslash', `${marker}\\`],
  ['a shell word', `$(touch /tmp/${marker})`],
  ['a word', marker],
  ['a number with a fraction', '1.5'],
  ['a number in hexadecimal', '0x10'],
  ['a number with an exponent', '1e3'],
  ['a negative number', '-1'],
  ['a very large number', '999999999999999999999'],
];
/** What only the wire can carry. */
const values: readonly (readonly [string, SettingValue])[] = [
  ['true', true],
  ['a fraction', 1.5],
  ['not a number', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['too small', Number.MIN_SAFE_INTEGER],
  ['too large', Number.MAX_SAFE_INTEGER],
];

function definitionOf(key: SettingKey): SettingDefinition {
  return settingDefinitions[key];
}

function isOutOfBounds(value: SettingValue): boolean {
  return typeof value === 'string' && (value.length > 5000 || controlCharacter.test(value));
}

/** What a value of the right kind looks like; whether it fits this machine is another question. */
function mayBeFair(key: SettingKey, value: SettingValue): boolean {
  const { shape } = definitionOf(key);
  if (isOutOfBounds(value)) return false;
  if (shape.kind === 'boolean') return value === true;
  if (shape.kind === 'integer') return false;
  return typeof value === 'string' ? shape.pattern === undefined || shape.pattern.test(value) : typeof value === 'number';
}

function expectClear(key: SettingKey, message: string): void {
  expect(message).toContain(key);
  expect(message).toMatch(/expected|no camera|no microphone|has no parameter|could be asked/);
  expect(message.length).toBeLessThanOrEqual(600);
  expect(message).not.toMatch(controlCharacter);
  if (definitionOf(key).secret) expect(message).not.toContain(marker);
}

/** Neither an element nor a file of the value's may stand in the pipeline, but inside quotes. */
function expectHarmless(description: string): void {
  expect(description.replaceAll(/"(?:[^"\\]|\\.)*"/g, '')).not.toMatch(/filesink|touch/);
}

describe.each(settingKeys)('%s', (key) => {
  test.each(texts)('from the environment: %s', (_name, text) => {
    const read = readConfiguration({ [key]: text }, { homeDirectory: '/home/pi', isBalenaDataWritable: false });
    if (read.kind === 'problems') throw new Error(describeProblems(read.problems));
    const environment = environmentOf(read.configuration);
    const value = read.configuration.settings[key];
    if (value === undefined) expect(environment.refusedInEnvironment).toHaveLength(1);
    else expect(mayBeFair(key, value)).toBe(true);
    // The environment may name elements of its own: who sets it owns the device. What is none is left out, and said, and it streams.
    const { leftOut, plan } = fitSettings(desired(1), { ...machine, ...environment, fleetUrl: machine.fleetUrl });
    if (value === undefined) expect(leftOut.map((refusal) => refusal.key)).toEqual([key]);
    for (const refusal of leftOut) {
      expectClear(key, refusal.reason);
      expect(Check(SettingRefusal, refusal)).toBe(true);
    }
    expectHarmless(plan.capture.description);
    expect(plan.outputs).toContainEqual(expect.objectContaining({ kind: 'rtmp' }));
  });

  test('from the environment: empty is unset', () => {
    const read = readConfiguration({ [key]: '' }, { homeDirectory: '/home/pi', isBalenaDataWritable: false });
    expect(read).toMatchObject({ kind: 'configuration', configuration: { settings: {} } });
  });

  test.each([...texts, ...values])('over the wire: %s', (_name, value) => {
    const problems = findWireProblems({ [key]: value });
    for (const { reason } of problems) expectClear(key, reason);
    if (problems.length === 0) expect(mayBeFair(key, value) && definitionOf(key).remote).toBe(true);
    for (const level of ['fleet', 'group', 'device'] as const) {
      const document = { ...desired(1), levels: { fleet: {}, group: {}, device: {}, [level]: { [key]: value } } };
      const judgement = judgeSettings(document, null, machine);
      if (judgement.kind === 'refused') {
        expect(judgement.refusals.every((refusal) => refusal.key === key)).toBe(true);
        for (const { reason } of judgement.refusals) expectClear(key, reason);
      } else {
        expect(problems).toEqual([]);
        expectHarmless(judgement.prepared.plan.capture.description);
      }
      expectHarmless(fitSettings(document, machine).plan.capture.description);
    }
  });
});
