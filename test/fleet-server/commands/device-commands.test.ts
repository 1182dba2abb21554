import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Command } from '#protocol/messages.ts';
import type { BatchStatus, CommandList, CommandStatus } from '#protocol/model/command.ts';
import type { History } from '#protocol/model/history.ts';
import { type ApiUnderTest, bodies, type DeviceVoice, startApi } from '../api-under-test.ts';
import { settle } from '../manual-clock.ts';

let api: ApiUnderTest;
let id: string;
let voice: DeviceVoice;

beforeEach(async () => {
  api = await startApi();
  id = (await api.join()).deviceId;
  voice = api.voice(id);
});
afterEach(() => api.close());

const ask = (payload: object = { kind: 'restart-pipeline' }) =>
  api.request({ method: 'POST', url: `/api/v1/devices/${id}/commands`, payload });
const status = async (commandId: string) =>
  (await api.request({ method: 'GET', url: `/api/v1/devices/${id}/commands/${commandId}` })).json<CommandStatus>();
const delivered = () => api.published.filter(({ name }) => name === 'command').map(({ body }) => (body as Command).id);

test('sent at once to a device that is there, done with its first result, which counts once', async () => {
  voice.connect();
  const response = await ask();
  expect(response.statusCode).toBe(202);
  const asked = response.json<CommandStatus>();
  expect(asked).toMatchObject({ kind: 'restart-pipeline', requestedBy: 'admin', finishedAt: null });
  await settle();
  expect(await status(asked.id)).toMatchObject({ state: 'sent' });
  await voice.say('command-result', { id: asked.id, outcome: 'done', detail: 'back after 800 ms' });
  await voice.say('command-result', { id: asked.id, outcome: 'failed', detail: 'late' });
  expect(await status(asked.id)).toMatchObject({ state: 'done', detail: 'back after 800 ms' });
  const history = (await api.request({ method: 'GET', url: `/api/v1/devices/${id}/history` })).json<History>();
  expect(history.entries.filter(({ kind }) => kind === 'command-result')).toHaveLength(1);
  expect(history.entries.find(({ kind }) => kind === 'restart-pipeline')).toMatchObject({ origin: 'person' });
});

test('waits for a device that is away and goes out with its hello, again with the next one', async () => {
  const asked = (await ask()).json<CommandStatus>();
  await settle();
  expect(await status(asked.id)).toMatchObject({ state: 'waiting' });
  voice.connect();
  await voice.say('hello', bodies.hello());
  expect(await status(asked.id)).toMatchObject({ state: 'sent' });
  voice.newSession();
  await voice.say('hello', bodies.hello());
  expect(delivered()).toEqual([asked.id, asked.id]);
});

test('behind a broker elsewhere it is sent again while no result comes, also when the clock was set back meanwhile', async () => {
  Object.assign(api.app.broker, { isShared: true });
  voice.connect();
  const asked = (await ask()).json<CommandStatus>();
  await api.clock.advance(1000);
  expect(delivered()).toEqual([asked.id]);
  api.clock.set(-3_600_000);
  await api.clock.advance(5000);
  const before = delivered().length;
  await api.clock.advance(15_000);
  expect(delivered().length).toBeGreaterThan(before);
  await voice.say('command-result', { id: asked.id, outcome: 'done', detail: '' });
  const after = delivered().length;
  await api.clock.advance(30_000);
  expect(delivered()).toHaveLength(after);
});

test('found by looking alone, it is sent however many wait for devices that are away', async () => {
  voice.connect();
  const absent = (await api.join()).deviceId;
  const { database } = api.store();
  const nowMs = api.clock.nowMs();
  const row = { number: 1, kind: 'identify', arguments: '{}', state: 'waiting', requestedBy: 'admin', detail: '', finishedAtMs: null };
  const rest = {
    deadlineMs: nowMs + 3_600_000,
    begunAtMs: null,
    elapsedMs: null,
    progress: null,
    lines: null,
    recordings: null,
    batchId: null,
  };
  const away = Array.from({ length: 1100 }, (_, index) => ({
    ...row,
    ...rest,
    id: `c${index}`,
    deviceId: absent,
    requestedAtMs: nowMs,
  }));
  // Nobody is woken for what stands in the table only: as when the message of another server was lost.
  const newest = { ...row, ...rest, id: 'newest', deviceId: id, requestedAtMs: nowMs + 1 };
  for (const part of [away.slice(0, 550), away.slice(550), [newest]]) await database.insertInto('commands').values(part).execute();
  for (let seconds = 0; seconds < 20; seconds += 1) await api.clock.advance(1000);
  expect(delivered()).toEqual(['newest']);
});

test('expires at its deadline, is not sent any more, and a late result still says what was done', async () => {
  const asked = (await ask()).json<CommandStatus>();
  await api.clock.advance(61_000);
  expect(await status(asked.id)).toMatchObject({ state: 'expired', finishedAt: expect.any(String) });
  voice.connect();
  await voice.say('hello', bodies.hello());
  expect(delivered()).toEqual([]);
  await voice.say('command-result', { id: asked.id, outcome: 'done', detail: '' });
  expect(await status(asked.id)).toMatchObject({ state: 'done' });
});

test('what waits can be withdrawn: it is never sent, and that stands in history and audit log; what was sent cannot', async () => {
  const withdraw = (commandId: string) => api.request({ method: 'POST', url: `/api/v1/devices/${id}/commands/${commandId}/withdraw` });
  const asked = (await ask({ kind: 'reboot', deadlineS: 86_400 })).json<CommandStatus>();
  await settle();
  expect((await withdraw(asked.id)).json()).toMatchObject({
    state: 'withdrawn',
    detail: 'Taken back by admin.',
    finishedAt: expect.any(String),
  });
  voice.connect();
  await voice.say('hello', bodies.hello());
  expect(delivered()).toEqual([]);
  expect((await withdraw(asked.id)).json()).toMatchObject({ code: 'already-sent' });
  const sent = (await ask()).json<CommandStatus>();
  await settle();
  expect((await withdraw(sent.id)).statusCode).toBe(409);
  expect((await withdraw('12345678-none')).statusCode).toBe(404);
  const history = (await api.request({ method: 'GET', url: `/api/v1/devices/${id}/history` })).json<History>();
  expect(history.entries.find(({ kind }) => kind === 'command-withdrawn')).toMatchObject({ detail: 'Restart board: taken back by admin.' });
  const audit = (await api.request({ method: 'GET', url: '/api/v1/audit-log' })).json<{ entries: { action: string }[] }>();
  expect(audit.entries.map(({ action }) => action)).toContain('command-withdrawn');
  // It was on its way in the moment in which it was withdrawn.
  await voice.say('command-result', { id: asked.id, outcome: 'done', detail: '' });
  expect(await status(asked.id)).toMatchObject({ state: 'done' });
});

describe('in a maintenance window', () => {
  const askAsWatchdog = () => api.app.commands.request({ deviceId: id, kind: 'reboot', arguments: {}, requestedBy: 'watchdog' });
  const openWindow = async () => {
    const [from, to] = [0, 3_600_000].map((inMs) => new Date(api.clock.nowMs() + inMs).toISOString());
    const payload = { scope: { kind: 'device', id }, reason: 'new cables', schedule: { kind: 'once', from, to } };
    return (await api.request({ method: 'POST', url: '/api/v1/maintenance-windows', payload })).json<{ id: string }>().id;
  };
  const sayHello = () => {
    voice.newSession();
    return voice.say('hello', bodies.hello());
  };

  test('what the watchdog asked for before is not sent, but taken back, and what a person asked for goes out', async () => {
    const its = await askAsWatchdog();
    const windowId = await openWindow();
    const ours = (await ask({ kind: 'reboot' })).json<CommandStatus>();
    voice.connect();
    await sayHello();
    await api.clock.advance(2000);
    expect(await status(its.id)).toMatchObject({ state: 'withdrawn', detail: expect.stringMatching(/^Taken back: .* \(new cables\)\.$/) });
    const history = (await api.request({ method: 'GET', url: `/api/v1/devices/${id}/history` })).json<History>();
    expect(history.entries.filter(({ kind }) => kind === 'command-withdrawn')).toMatchObject([
      { origin: 'server', detail: expect.stringMatching(/^Restart board: Taken back: a maintenance window is open until /) },
    ]);
    await api.request({ method: 'DELETE', url: `/api/v1/maintenance-windows/${windowId}` });
    await sayHello();
    expect(delivered()).toEqual([ours.id, ours.id]);
  });

  test('what was sent over a connection that may be half open is not sent again, and a device that has it says what became of it', async () => {
    voice.connect();
    const { id: itsId } = await askAsWatchdog();
    await settle();
    expect(delivered()).toEqual([itsId]);
    await openWindow();
    await sayHello();
    await api.clock.advance(2000);
    expect(delivered()).toEqual([itsId]);
    expect(await status(itsId)).toMatchObject({ state: 'withdrawn' });
    await voice.say('command-result', { id: itsId, outcome: 'done', detail: '' });
    expect(await status(itsId)).toMatchObject({ state: 'done' });
  });

  test('what the device has begun is its own business, and its result is asked for', async () => {
    voice.connect();
    const { id: itsId } = await askAsWatchdog();
    await settle();
    await voice.say('command-progress', { id: itsId, elapsedMs: 1000, detail: '' });
    await openWindow();
    await api.clock.advance(2000);
    await sayHello();
    expect(await status(itsId)).toMatchObject({ state: 'sent' });
    expect(delivered()).toEqual([itsId, itsId]);
  });
});

test('another device cannot answer for it', async () => {
  const other = api.voice((await api.join({ name: 'other' })).deviceId);
  const asked = (await ask()).json<CommandStatus>();
  await other.say('command-result', { id: asked.id, outcome: 'done', detail: '' });
  expect(await status(asked.id)).toMatchObject({ state: 'waiting' });
});

test('the order of commands is the one in which they were asked for, also when the clock was ahead meanwhile', async () => {
  voice.connect();
  const finished = async () => {
    const asked = (await ask({ kind: 'identify' })).json<CommandStatus>();
    await voice.say('command-result', { id: asked.id, outcome: 'done', detail: '' });
    return asked.id;
  };
  api.clock.set(3_600_000);
  const first = await finished();
  const { database } = api.store();
  const row = await database.selectFrom('commands').selectAll().executeTakeFirstOrThrow();
  const others = Array.from({ length: 199 }, (_, index) => ({ ...row, id: `command-${index}`, number: row.number + 1 + index }));
  await database.insertInto('commands').values(others).execute();
  api.clock.set(-3_600_000);
  const newest = await finished();
  const waiting = (await ask()).json<CommandStatus>();
  const { commands } = (await api.request({ method: 'GET', url: `/api/v1/devices/${id}/commands` })).json<CommandList>();
  expect(commands.slice(0, 2).map((command) => command.id)).toEqual([waiting.id, newest]);
  expect(await status(newest)).toMatchObject({ state: 'done' });
  expect(await status(first)).toMatchObject({ code: 'command-not-found' });
});

test('a device that is removed at that very moment is not known, and left out among several', async () => {
  const remove = (deviceId: string) => api.request({ method: 'DELETE', url: `/api/v1/devices/${deviceId}` });
  for (let round = 0; round < 5; round += 1) {
    const removed = (await api.join({ name: 'removed', group: 'hall' })).deviceId;
    const stays = (await api.join({ name: 'stays', group: 'hall' })).deviceId;
    const [gone, ...answers] = await Promise.all([
      remove(removed),
      api.request({ method: 'POST', url: `/api/v1/devices/${removed}/commands`, payload: { kind: 'identify' } }),
      askMany({ kind: 'identify', deviceIds: [removed, stays] }),
      askMany({ kind: 'identify', group: 'hall' }),
    ]);
    expect(gone.statusCode).toBe(204);
    const [alone, selected, group] = answers;
    expect([202, 404], alone.body).toContain(alone.statusCode);
    // Where it was gone before they were looked at, it is told who is not known.
    expect([202, 404], selected.body).toContain(selected.statusCode);
    expect(group.statusCode, group.body).toBe(202);
    for (const answer of [selected, group].filter(({ statusCode }) => statusCode === 202))
      expect((await batch(answer.json<BatchStatus>().id)).commands.map(({ deviceId }) => deviceId)).toEqual([stays]);
    await remove(stays);
  }
});

test('an unknown kind, an unknown device and too many are refused', async () => {
  expect((await ask({ kind: 'format-disk' })).json()).toMatchObject({ code: 'wrong-fields' });
  expect(
    (await api.request({ method: 'POST', url: '/api/v1/devices/d-nothing00/commands', payload: { kind: 'restart-pipeline' } })).statusCode,
  ).toBe(404);
  for (let index = 0; index < 20; index += 1) expect((await ask()).statusCode).toBe(202);
  expect((await ask()).json()).toMatchObject({ code: 'too-many' });
  expect((await api.request({ method: 'GET', url: `/api/v1/devices/${id}/commands` })).json<CommandList>().commands).toHaveLength(20);
});

test('what the server sends of its own accord nobody can ask for, of one device or of several', async () => {
  voice.connect();
  const { token } = (
    await api.request({
      method: 'POST',
      url: '/api/v1/access-tokens',
      payload: { name: 'ci', scopes: ['commands'], expiresInS: 3600 },
    })
  ).json<{ token: string }>();
  const headers = { authorization: `Bearer ${token}` };
  const wish = { kind: 'join-anew', arguments: { boardId: '0123456789abcdef' } };
  await api.request({ method: 'PATCH', url: `/api/v1/devices/${id}`, payload: { group: 'hall', tags: ['loud'] } });
  for (const [url, payload] of [
    [`/api/v1/devices/${id}/commands`, wish],
    ['/api/v1/commands', { ...wish, deviceIds: [id] }],
    ['/api/v1/commands', { ...wish, group: 'hall' }],
    ['/api/v1/commands', { ...wish, tag: 'loud' }],
    ['/api/v1/commands', { ...wish, matching: {} }],
  ] as const) {
    for (const answer of [
      await api.request({ method: 'POST', url, payload }),
      await api.app.inject({ method: 'POST', url, payload, headers }),
    ]) {
      expect(answer.statusCode, answer.body).toBe(400);
      const { problems } = answer.json<{ problems: readonly { readonly key: string; readonly expected: string }[] }>();
      expect(problems).toMatchObject([{ key: 'body/kind', came: 'join-anew' }]);
      expect(problems[0]?.expected).not.toContain('join-anew');
    }
  }
  expect(delivered()).toEqual([]);
});

test('arguments are those of the kind, or it is refused before anything is stored', async () => {
  voice.connect();
  expect((await ask({ kind: 'identify', arguments: { durationS: 3600 } })).json()).toMatchObject({
    code: 'wrong-fields',
    problems: [{ key: 'body/arguments', came: 'arguments/durationS must be <= 60' }],
  });
  expect((await ask({ kind: 'restart-pipeline', arguments: { shell: 'rm' } })).statusCode).toBe(400);
  expect((await ask({ kind: 'protect-recording' })).statusCode).toBe(400);
  expect(delivered()).toEqual([]);
  expect((await ask({ kind: 'identify', arguments: { durationS: 5 } })).statusCode).toBe(202);
  await settle();
  expect(api.published.findLast(({ name }) => name === 'command')?.body).toMatchObject({ kind: 'identify', arguments: { durationS: 5 } });
});

test('what the device found is kept with the result', async () => {
  voice.connect();
  const asked = (await ask({ kind: 'run-doctor' })).json<CommandStatus>();
  expect(asked.lines).toBeUndefined();
  await voice.say('command-result', { id: asked.id, outcome: 'done', detail: '1 pass', lines: ['pass  disk'] });
  expect(await status(asked.id)).toMatchObject({ state: 'done', lines: ['pass  disk'] });
});

test('how far the device is with it is shown until it is done, and changes nothing else', async () => {
  voice.connect();
  const asked = (await ask({ kind: 'run-doctor' })).json<CommandStatus>();
  await settle();
  expect(api.published.findLast(({ name }) => name === 'command')?.body).toMatchObject({ tellProgress: true });
  expect((await status(asked.id)).progress).toBeUndefined();
  const begunAt = new Date(api.clock.nowMs() - 1000).toISOString();
  await voice.say('command-progress', { id: asked.id, elapsedMs: 1000, detail: '' });
  expect(await status(asked.id)).toMatchObject({ state: 'sent', progress: { begunAt, detail: '' } });
  await voice.say('command-progress', { id: asked.id, elapsedMs: 11_000, detail: '9 checks made' });
  // Late, and twice.
  await voice.say('command-progress', { id: asked.id, elapsedMs: 6000, detail: '4 checks made' });
  await voice.say('command-progress', { id: asked.id, elapsedMs: 11_000, detail: 'other words' });
  expect((await status(asked.id)).progress).toEqual({ begunAt, detail: '9 checks made' });
  const { commands } = (await api.request({ method: 'GET', url: `/api/v1/devices/${id}/commands` })).json<CommandList>();
  expect(commands).toMatchObject([{ progress: { begunAt, detail: '9 checks made' } }]);
  await voice.say('command-result', { id: asked.id, outcome: 'done', detail: '9 pass' });
  const done = await status(asked.id);
  await voice.say('command-progress', { id: asked.id, elapsedMs: 16_000, detail: 'too late' });
  expect(await status(asked.id)).toEqual(done);
  expect(done).toMatchObject({ state: 'done', detail: '9 pass' });
  const history = (await api.request({ method: 'GET', url: `/api/v1/devices/${id}/history` })).json<History>();
  expect(history.entries.filter(({ origin }) => origin === 'device').map(({ kind }) => kind)).toEqual(['command-result']);
});

test('only the device itself says how far it is, and not with what has expired', async () => {
  voice.connect();
  const other = api.voice((await api.join({ name: 'other' })).deviceId);
  other.connect();
  const asked = (await ask({ kind: 'run-doctor' })).json<CommandStatus>();
  await other.say('command-progress', { id: asked.id, elapsedMs: 1000, detail: 'mine' });
  await voice.say('command-progress', { id: '12345678-none', elapsedMs: 1000, detail: '' });
  expect((await status(asked.id)).progress).toBeUndefined();
  await api.clock.advance(181_000);
  await voice.say('command-progress', { id: asked.id, elapsedMs: 1000, detail: '' });
  expect(await status(asked.id)).toMatchObject({ state: 'expired' });
  expect((await status(asked.id)).progress).toBeUndefined();
});

test('a list of recordings is kept with its command alone, and of a device only the newest ones', async () => {
  voice.connect();
  const page = { recordings: [], total: 0, nextBeforeNumber: null };
  const ids: string[] = [];
  for (let index = 0; index < 12; index += 1) {
    const asked = (await ask({ kind: 'list-recordings', arguments: { limit: 5 } })).json<CommandStatus>();
    ids.push(asked.id);
    await voice.say('command-result', { id: asked.id, outcome: 'done', detail: '0 of 0 recordings', recordings: page });
    await api.clock.advance(1000);
  }
  expect(await status(ids.at(-1) ?? '')).toMatchObject({ state: 'done', recordings: page });
  const kept = await Promise.all(ids.map(async (commandId) => (await status(commandId)).recordings !== undefined));
  expect(kept).toEqual([false, false, ...Array.from({ length: 10 }, () => true)]);
  const { commands } = (await api.request({ method: 'GET', url: `/api/v1/devices/${id}/commands` })).json<CommandList>();
  expect(commands.filter(({ recordings }) => recordings !== undefined)).toEqual([]);
  expect((await ask({ kind: 'list-recordings', arguments: { limit: 5000 } })).statusCode).toBe(400);
});

test('a longer deadline waits for a device that comes back late', async () => {
  const asked = (await ask({ kind: 'restart-pipeline', deadlineS: 3600 })).json<CommandStatus>();
  // Its own deadline is a minute.
  await api.clock.advance(120_000);
  voice.connect();
  await voice.say('hello', bodies.hello());
  expect(delivered()).toEqual([asked.id]);
  expect((await ask({ kind: 'restart-pipeline', deadlineS: 10_000_000 })).statusCode).toBe(400);
});

const askMany = (payload: object, as?: string) =>
  api.request({ method: 'POST', url: '/api/v1/commands', payload, ...(as === undefined ? {} : { as }) });
const batch = async (batchId: string) => (await api.request({ method: 'GET', url: `/api/v1/commands/${batchId}` })).json<BatchStatus>();

test('asked of several: a result for each, and how far it is', async () => {
  const other = api.voice((await api.join({ name: 'other' })).deviceId);
  const away = api.voice((await api.join({ name: 'away' })).deviceId);
  for (const one of [voice, other]) one.connect();
  const response = await askMany({ kind: 'restart-pipeline', deviceIds: [id, other.id, away.id], deadlineS: 120 });
  expect(response.statusCode).toBe(202);
  const made = response.json<BatchStatus>();
  expect(made).toMatchObject({ kind: 'restart-pipeline', progress: { total: 3, open: 3, begun: 0, done: 0, notDone: 0 } });
  await settle();
  const idOf = (deviceId: string) => made.commands.find((command) => command.deviceId === deviceId)?.id ?? '';
  await voice.say('command-result', { id: idOf(id), outcome: 'done', detail: 'back' });
  await other.say('command-result', { id: idOf(other.id), outcome: 'failed', detail: 'no camera' });
  expect((await batch(made.id)).progress).toEqual({ total: 3, open: 1, begun: 0, done: 1, notDone: 1 });
  away.connect();
  await away.say('hello', bodies.hello());
  await away.say('command-progress', { id: idOf(away.id), elapsedMs: 1200, detail: 'half of it' });
  expect((await batch(made.id)).progress).toMatchObject({ open: 1, begun: 1 });
  expect((await batch(made.id)).commands.find(({ deviceId }) => deviceId === away.id)).toMatchObject({
    progress: { detail: 'half of it' },
  });
  await away.say('command-result', { id: idOf(away.id), outcome: 'done', detail: '' });
  expect((await batch(made.id)).progress).toEqual({ total: 3, open: 0, begun: 0, done: 2, notDone: 1 });
  expect((await batch(made.id)).commands.find(({ deviceId }) => deviceId === other.id)).toMatchObject({
    state: 'failed',
    detail: 'no camera',
  });
});

test('asked of a group; one that has too many waiting is refused alone', async () => {
  const members = [await api.join({ name: 'a', group: 'hall' }), await api.join({ name: 'b', group: 'hall' })];
  const full = members[0]?.deviceId ?? '';
  for (let index = 0; index < 20; index += 1) {
    await api.request({ method: 'POST', url: `/api/v1/devices/${full}/commands`, payload: { kind: 'restart-pipeline' } });
  }
  const made = (await askMany({ kind: 'identify', group: 'hall' })).json<BatchStatus>();
  expect(made.progress).toEqual({ total: 2, open: 1, begun: 0, done: 0, notDone: 1 });
  expect(made.commands.find(({ deviceId }) => deviceId === full)).toMatchObject({ state: 'refused' });
  await api.clock.advance(91_000);
  expect((await batch(made.id)).progress).toEqual({ total: 2, open: 0, begun: 0, done: 0, notDone: 2 });
});

test('asked of all with a tag', async () => {
  const other = await api.join({ name: 'other' });
  await api.request({ method: 'PATCH', url: `/api/v1/devices/${other.deviceId}`, payload: { tags: ['stage'] } });
  const made = (await askMany({ kind: 'identify', tag: 'stage' })).json<BatchStatus>();
  expect(made.commands.map(({ deviceId }) => deviceId)).toEqual([other.deviceId]);
  expect((await askMany({ kind: 'identify', tag: 'sta' })).json()).toMatchObject({ code: 'wrong-fields' });
});

test('asked of several: nobody, both, unknown ones and viewers are refused', async () => {
  expect((await askMany({ kind: 'identify' })).statusCode).toBe(400);
  expect((await askMany({ kind: 'identify', deviceIds: [id], group: 'hall' })).statusCode).toBe(400);
  expect((await askMany({ kind: 'identify', group: 'nowhere' })).json()).toMatchObject({ code: 'wrong-fields' });
  expect((await askMany({ kind: 'identify', deviceIds: ['d-nothing00'] })).statusCode).toBe(404);
  expect((await askMany({ kind: 'run-shell', deviceIds: [id] })).statusCode).toBe(400);
  expect((await askMany({ kind: 'identify', deviceIds: [id] }, await api.addPerson('vera', 'viewer'))).statusCode).toBe(403);
  expect((await api.request({ method: 'GET', url: `/api/v1/commands/${'a'.repeat(36)}` })).statusCode).toBe(404);
});
