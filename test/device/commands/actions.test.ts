import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ActionsOptions, commandActions } from '#device/commands/actions.ts';
import { fail, pass } from '#device/doctor/check.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const done = async () => ({ kind: 'applied' }) as const;

function actions(changes: Partial<ActionsOptions> = {}) {
  return commandActions({
    media: { restartCapture: done, restartHost: done, picture: async () => ({ kind: 'picture', flv: Buffer.from('flv') }) },
    switchOutlet: done,
    stillPicture: async () => ({ kind: 'failed', reason: 'no decoder' }),
    sendSnapshot: () => undefined,
    recordingDirectory: () => '/nowhere',
    isRecordingDiskAway: () => false,
    restartAgent: () => undefined,
    mayReboot: false,
    reboot: async () => null,
    light: { blink: async (durationS) => ({ kind: 'applied', detail: `${durationS} s` }) },
    examine: async () => [],
    sendLogs: () => undefined,
    boardId: 'a'.repeat(16),
    joinAnew: async () => undefined,
    changeCredential: async () => undefined,
    ...changes,
  });
}

test('a board is restarted only where its own environment allows it', async () => {
  let rebooted = 0;
  const reboot = async () => {
    rebooted += 1;
    return 'no tool for it';
  };
  expect(await actions({ reboot }).reboot()).toMatchObject({ kind: 'refused', reason: expect.stringContaining('AV_ALLOW_REBOOT=1') });
  expect(rebooted).toBe(0);
  expect(await actions({ reboot, mayReboot: true }).reboot()).toEqual({
    kind: 'failed',
    reason: 'the board is not restarted: no tool for it',
  });
});

test('a recording is protected by its name, and by nothing else', async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, '2026-11-21T10-00-00Z.mp4'), 'x');
  const { 'protect-recording': protect } = actions({ recordingDirectory: () => directory });
  expect(await protect({ name: '2026-11-21T11-00-00Z' })).toEqual({
    kind: 'refused',
    reason: 'there is no recording 2026-11-21T11-00-00Z; the newest is 2026-11-21T10-00-00Z',
  });
  expect(await protect({ name: '2026-11-21T10-00-00Z' })).toMatchObject({ kind: 'applied' });
  expect((await readdir(directory)).toSorted()).toEqual(['2026-11-21T10-00-00Z.keep', '2026-11-21T10-00-00Z.mp4']);
  expect(await actions()['protect-recording']({ name: '2026-11-21T10-00-00Z' })).toMatchObject({ kind: 'refused' });
});

test('recordings are listed with what keeps them, and one can be let go again', async () => {
  const directory = await temporaryDirectory();
  for (const name of ['2026-11-21T10-00-00Z.mp4', '2026-11-21T10-00-00Z.keep', '2026-11-21T11-00-00Z.flv', 'notes.txt']) {
    await writeFile(join(directory, name), 'x');
  }
  const known = actions({ recordingDirectory: () => directory });
  const list = async () => {
    const outcome = await known['list-recordings']({});
    return outcome.kind === 'applied' ? outcome.recordings?.recordings.map(({ name, isProtected }) => [name, isProtected]) : outcome;
  };
  expect(await list()).toEqual([
    ['2026-11-21T11-00-00Z', false],
    ['2026-11-21T10-00-00Z', true],
  ]);
  expect(await known['list-recordings']({ limit: 1 })).toMatchObject({ detail: '1 of 2 recordings', recordings: { nextBeforeNumber: 2 } });
  expect(await known['release-recording']({ name: '2026-11-21T10-00-00Z' })).toMatchObject({ kind: 'applied' });
  expect(await list()).toEqual([
    ['2026-11-21T11-00-00Z', false],
    ['2026-11-21T10-00-00Z', false],
  ]);
  expect(await actions()['list-recordings']({})).toMatchObject({ kind: 'refused' });
});

test('while the disk of the recordings is away, those on the device are listed as such', async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, '2026-11-21T11-00-00Z.flv'), 'x');
  const isRecordingDiskAway = () => true;
  const { 'list-recordings': list } = actions({ recordingDirectory: () => directory, isRecordingDiskAway });
  expect(await list({})).toMatchObject({
    kind: 'applied',
    detail: '1 of 1 recordings on the device itself: the disk for recordings is away or refuses',
    recordings: { total: 1, isDiskAway: true },
  });
  expect(await actions({ isRecordingDiskAway })['list-recordings']({})).toEqual({
    kind: 'refused',
    reason: 'the disk for recordings is away or refuses, and there are none on the device itself',
  });
});

test('a snapshot is sent, and its size told', async () => {
  const sent: Buffer[] = [];
  const jpeg = Buffer.alloc(143_200);
  const made = (isHalved: boolean) => async () => ({ kind: 'picture', jpeg, width: 1280, height: 720, isHalved }) as const;
  const sendSnapshot = (picture: Buffer) => void sent.push(picture);
  expect(await actions({ sendSnapshot, stillPicture: made(false) }).snapshot()).toEqual({ kind: 'applied', detail: '1280x720, 144 kB' });
  expect(await actions({ sendSnapshot, stillPicture: made(true) }).snapshot()).toMatchObject({
    detail: expect.stringContaining('half the size'),
  });
  expect(sent).toEqual([jpeg, jpeg]);
  expect(await actions().snapshot()).toEqual({ kind: 'failed', reason: 'the picture cannot be made: no decoder' });
});

test('what the doctor found comes line by line', async () => {
  const examine = async () => [pass('disk', '5 GB free'), fail('camera', 'there is none', 'Plug one in.')];
  expect(await actions({ examine })['run-doctor']({}, () => undefined)).toEqual({
    kind: 'applied',
    detail: '1 pass, 0 warn, 1 fail',
    lines: ['pass  disk            5 GB free', 'fail  camera          there is none', expect.stringMatching(/^ +Plug one in\.$/)],
  });
});

test('the doctor says how far it is, check by check', async () => {
  const said: string[] = [];
  const examine: ActionsOptions['examine'] = async (onCheck) => {
    const checks = [pass('disk', '5 GB free'), fail('camera', 'there is none', 'Plug one in.')];
    for (const check of checks) onCheck(check);
    return checks;
  };
  await actions({ examine })['run-doctor']({}, (words) => said.push(words));
  expect(said).toEqual(['1 check made, the last: disk', '2 checks made, the last: camera']);
});

test('the light blinks for ten seconds unless told', async () => {
  expect(await actions().identify({})).toMatchObject({ detail: '10 s' });
  expect(await actions().identify({ durationS: 3 })).toMatchObject({ detail: '3 s' });
});

test('the copy of a card leaves when it is asked to, and the original does not', async () => {
  const left: string[] = [];
  const joinAnew = async (boardId: string) => void left.push(boardId);
  const original = actions({ joinAnew });
  expect(await original['join-anew']({ boardId: 'a'.repeat(16) })).toMatchObject({ kind: 'refused' });
  expect(left).toEqual([]);
  expect(await original['join-anew']({ boardId: 'b'.repeat(16) })).toMatchObject({ kind: 'applied' });
  expect(left).toEqual(['b'.repeat(16)]);
  expect(await actions({ boardId: null, joinAnew })['join-anew']({ boardId: 'a'.repeat(16) })).toMatchObject({ kind: 'refused' });
  const full = async () => Promise.reject(new Error('ENOSPC'));
  expect(await actions({ joinAnew: full })['join-anew']({ boardId: 'b'.repeat(16) })).toMatchObject({ kind: 'failed' });
});
