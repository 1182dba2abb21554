/** Every setting with everything that is wrong, sent to a device that streams: each is refused in words, and the far side notices none of it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Applied } from '#protocol/messages.ts';
import { type SettingDefinition, type SettingKey, settingDefinitions, settingKeys } from '#protocol/settings.ts';
import { isStreamAddress } from '#protocol/stream-targets.ts';
import { topicFor } from '#protocol/topics.ts';
import { childEnvironment } from '../child-environment.ts';
import { agentProgram } from '../device/agent-program.ts';
import { desired } from '../device/bare-machine.ts';
import { TestRelay } from '../device/media/test-relay.ts';
import { temporaryDirectory } from '../device/temporary-directory.ts';
import { startedFleet } from '../device/uplink/started-fleet.ts';
import type { Heard, TestFleet } from '../device/uplink/test-fleet.ts';
import { until } from '../until.ts';

const streamName = 'dev-1';
/** Of what is never to be shown, and of the rest. */
const secretMarker = 'hush7';
const plainMarker = 'loud7';
const answerBoundMs = 20_000;
const askAgainMs = 5;
const controlCharacter = /\p{Cc}/u;
/** So deep that what walks through it by calling itself does not come back. */
const depth = 20_000;
/** Stands for a list of that depth, which is put into the text: JSON.stringify would not come back either. */
const deep = 'a list of great depth';

type Wrong = readonly (readonly [what: string, value: unknown])[];

/** Empty is not among them: it is unset. */
function wrongValues(key: SettingKey): Wrong {
  const { shape, secret }: SettingDefinition = settingDefinitions[key];
  const marker = secret ? secretMarker : plainMarker;
  const forAll: Wrong = [
    ['10 000 characters', `${marker}${'x'.repeat(10_000)}`],
    ['a newline', `${marker}\nx`],
    ['a newline and a setting', `1\nAV_STREAM_KEY=${marker}`],
    ['a zero byte', `${marker}\0`],
    ['an escape sequence', `${marker}\u001b[2J`],
    ['null', null],
    ['a list', [marker]],
    ['an object', { [marker]: marker }],
    [deep, deep],
  ];
  const forOtherThanNames: Wrong = [
    ['an element', `${marker} ! filesink location=/tmp/${marker}`],
    ['an element behind a quote', `${marker}" ! filesink location="/tmp/${marker}`],
    ['a single quote', `'${marker}`],
    ['a shell word', `$(touch /tmp/${marker})`],
  ];
  const ofKind: Record<SettingDefinition['shape']['kind'], Wrong> = {
    integer: [
      ['a word', marker],
      ['true', true],
      ['a fraction', 1.5],
      ['too small', Number.MIN_SAFE_INTEGER],
      ['too large', Number.MAX_SAFE_INTEGER],
      ['in hexadecimal', '0x10'],
      ['with an exponent', '1e3'],
    ],
    boolean: [
      ['a word', marker],
      ['two', 2],
      ['a fraction', 0.5],
    ],
    text: [['true', true]],
  };
  const forAddresses: Wrong = [
    ['a port that is no number', `rtmp://${marker}.example:19350x/live`],
    ['a port that no machine has', `rtmp://${marker}.example:99999/live`],
    ['no host', `rtmp:///${marker}`],
  ];
  return [
    ...forAll,
    ...(key === 'AV_ROOM_NAME' ? [] : forOtherThanNames),
    ...(isStreamAddress(key) ? forAddresses : []),
    ...ofKind[shape.kind],
  ];
}

type Device = {
  readonly fleet: TestFleet;
  readonly relay: TestRelay;
  readonly output: () => string;
  /** What the device answers to the next revision, which has these levels. */
  readonly ask: (settings: Readonly<Record<string, unknown>>, level?: 'fleet' | 'group' | 'device') => Promise<Applied>;
  readonly sendRaw: (payload: string | Buffer) => Promise<void>;
  readonly nextRevision: () => number;
};

async function streamingDevice(): Promise<Device> {
  const [relay, fleet] = await Promise.all([TestRelay.start(), startedFleet()]);
  onTestFinished(() => relay.stop());
  const stateDirectory = join(await temporaryDirectory(), 'state');
  const small = { AV_VIDEO_SOURCE: 'test', AV_VIDEO_WIDTH: '320', AV_VIDEO_HEIGHT: '180', AV_VIDEO_FRAMERATE: '15' };
  const targets = {
    AV_STREAM_URL: relay.target,
    AV_STREAM_KEY: streamName,
    FLEET_URL: fleet.url,
    FLEET_JOIN_TOKEN: 'join-token-secret-1234',
  };
  const env = { ...childEnvironment(), AGENT_STATE_DIR: stateDirectory, ...small, ...targets };
  const child = spawn(process.execPath, [agentProgram], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  let revision = 0;
  const sendRaw = (payload: string | Buffer) => fleet.sendRaw(topicFor('pi-1', 'desired'), payload);
  return {
    fleet,
    relay,
    output: () => output,
    sendRaw,
    nextRevision: () => revision + 1,
    async ask(settings, level = 'device') {
      revision += 1;
      const from = fleet.heard.length;
      const document = { ...desired(revision), levels: { fleet: {}, group: {}, device: {}, [level]: settings } };
      const text = JSON.stringify({ v: 1, sentAt: new Date().toISOString(), body: document });
      await sendRaw(text.replaceAll(JSON.stringify(deep), '['.repeat(depth) + ']'.repeat(depth)));
      const isAnswer = ({ name, body }: Heard) => name === 'applied' && 'revision' in body && body.revision === revision;
      const heard = () => fleet.heard.slice(from).find(isAnswer);
      const answer = await until(`an answer to revision ${revision}`, answerBoundMs, heard, askAgainMs).catch((cause: unknown) => {
        throw new Error(`no answer to ${text.slice(0, 500)}; the device printed ${output.slice(-1000)}`, { cause });
      });
      return answer.body as Applied;
    },
  };
}

function expectRefused(answer: Applied, keys: readonly SettingKey[], inForceRevision: number, what: string): void {
  expect(answer, what).toMatchObject({ outcome: 'refused', inForceRevision });
  expect([...new Set(answer.refusals.map(({ key }) => key))].toSorted(), what).toEqual(keys.toSorted());
  for (const { key, reason } of answer.refusals) {
    expect(reason, what).toContain(key);
    expect(reason, what).toMatch(/expected|no camera|no microphone|has no parameter|could be asked/);
    expect(reason, what).not.toMatch(controlCharacter);
  }
}

/** What cannot be answered, for no revision stands in it, or none that can be trusted. */
function unreadable(revision: number): readonly (readonly [string, string | Buffer])[] {
  const document = desired(revision);
  const envelope = (body: unknown, v: unknown = 1) => JSON.stringify({ v, sentAt: new Date().toISOString(), body });
  return [
    ['nothing', ''],
    ['text', secretMarker],
    ['half of one', envelope(document).slice(0, 60)],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00, 0x80])],
    ['null', 'null'],
    ['an array', '[]'],
    ['great depth', '['.repeat(30_000)],
    ['another version', envelope(document, 9)],
    ['no body', envelope(null)],
    ['a revision in words', envelope({ ...document, revision: secretMarker })],
    ['a revision with a fraction', envelope({ ...document, revision: revision + 0.5 })],
    ['a negative revision', envelope({ ...document, revision: -1 })],
    ['no revision', envelope({ ...document, revision: undefined })],
    ['a digest that is none', envelope({ ...document, digest: secretMarker })],
    ['no levels', envelope({ ...document, levels: undefined })],
    ['a level that is a list', envelope({ ...document, levels: { ...document.levels, device: [secretMarker] } })],
    ['a relay in words', envelope({ ...document, relay: secretMarker })],
    ['more than 64 KiB', envelope({ ...document, padding: 'x'.repeat(65_536) })],
  ];
}

test('each is refused with its key and what was expected, what cannot be answered is a line in the log, and the stream goes on', async () => {
  const device = await streamingDevice();
  const { fleet, relay } = device;
  await fleet.hear('hello');
  const good = await device.ask({ AV_VIDEO_BITRATE: 400 });
  expect(good.outcome).toBe('applied');
  await until('the stream at the relay', 25_000, () => relay.publisherId());
  const refusedFrom = fleet.heard.length;
  let ignored = 0;

  const { packets } = await relay.record(streamName, async () => {
    for (const key of settingKeys) {
      for (const [what, value] of wrongValues(key)) {
        expectRefused(await device.ask({ [key]: value }), [key], good.revision, `${key}: ${what}`);
      }
    }
    const allWrong = Object.fromEntries(settingKeys.map((key) => [key, { [secretMarker]: secretMarker }]));
    for (const level of ['fleet', 'group', 'device'] as const) {
      expectRefused(await device.ask(allWrong, level), settingKeys, good.revision, `all at once, of the ${level}`);
    }
    for (const [, payload] of unreadable(device.nextRevision())) {
      await device.sendRaw(payload);
      ignored += 1;
    }
    const unset = Object.fromEntries(settingKeys.filter((key) => settingDefinitions[key].remote).map((key) => [key, '']));
    const last = await device.ask({ ...unset, AV_FROM_THE_FUTURE: 'x'.repeat(2000), AV_VIDEO_BITRATE: 250 });
    expect(last).toMatchObject({ outcome: 'applied', refusals: [], inForceRevision: last.revision });
    await fleet.hear(
      'report',
      ({ appliedRevision, settings }) => appliedRevision === last.revision && settings['AV_VIDEO_BITRATE']?.value === 250,
      refusedFrom,
    );
  });

  expect(`${device.output()}${JSON.stringify(fleet.heard)}`).not.toContain(secretMarker);
  expect(device.output().split('a desired message was ignored').length - 1).toBe(ignored);
  expect(relay.publications).toHaveLength(1);
  for (const stream of ['video', 'audio'] as const) {
    const times = packets.filter((packet) => packet.stream === stream).map(({ dtsMs }) => dtsMs);
    const steps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(Math.min(...steps), `${stream}: the smallest step`).toBeGreaterThan(0);
    expect(Math.max(...steps), `${stream}: the largest step`).toBeLessThan(2000);
  }
  expect(fleet.problems).toEqual([]);
  expect(fleet.connects).toHaveLength(1);
}, 240_000);
