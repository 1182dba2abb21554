import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findDevice, insertDevice } from '#fleet-server/devices/devices-store.ts';
import type { Problem } from '#protocol/model/problem.ts';
import type { LevelSettings, RevisionPage, SettingsPreview } from '#protocol/model/settings.ts';
import { type ApiUnderTest, bodies, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
let id: string;
beforeEach(async () => {
  api = await startApi();
  id = (await api.join({ name: 'Left', group: 'hall' })).deviceId;
});
afterEach(() => api.close());

const at = (where: string, rest = '') => `/api/v1/${where}/settings${rest}`;
const patch = (where: string, payload: object, comment?: string) =>
  api.request({ method: 'PATCH', url: at(where, comment === undefined ? '' : `?comment=${encodeURIComponent(comment)}`), payload });
const revisions = async (where: string, query = '') =>
  (await api.request({ method: 'GET', url: at(where, `/revisions${query}`) })).json<RevisionPage>();
const undo = (where: string, number: number | string, payload: object = {}) =>
  api.request({ method: 'POST', url: at(where, `/revisions/${number}/undo`), payload });
const preview = async (where: string, payload: object, query = '') =>
  (await api.request({ method: 'POST', url: at(where, `/preview${query}`), payload })).json<SettingsPreview>();
const previewUndo = (where: string, number: number, payload: object = {}) =>
  api.request({ method: 'POST', url: at(where, `/revisions/${number}/undo/preview`), payload });
const plain = (value: unknown) => ({ kind: 'plain', value });

describe('revisions', () => {
  test.each(['fleet', 'groups/hall', 'device'])('of %s: who changed what, when and why; newest first, a page at a time', async (which) => {
    const where = which === 'device' ? `devices/${id}` : which;
    await patch(where, { AV_VIDEO_WIDTH: 640 }, 'a narrow line');
    await patch(where, { AV_VIDEO_WIDTH: 640 });
    await patch(where, { AV_VIDEO_WIDTH: 800, AV_VIDEO_HEIGHT: 600 });
    await patch(where, { AV_VIDEO_WIDTH: null });
    const { revisions: all, next } = await revisions(where);
    expect(next).toBeNull();
    expect(all).toMatchObject([
      { number: 3, by: 'admin', comment: null, undoes: null, changes: [{ key: 'AV_VIDEO_WIDTH', before: plain(800), after: null }] },
      {
        number: 2,
        changes: [
          { key: 'AV_VIDEO_HEIGHT', before: null, after: plain(600) },
          { key: 'AV_VIDEO_WIDTH', before: plain(640), after: plain(800) },
        ],
      },
      { number: 1, comment: 'a narrow line', changes: [{ key: 'AV_VIDEO_WIDTH', before: null, after: plain(640) }] },
    ]);
    const first = await revisions(where, '?limit=2');
    expect(first.revisions.map(({ number }) => number)).toEqual([3, 2]);
    expect((await revisions(where, `?limit=2&before=${first.next}`)).revisions.map(({ number }) => number)).toEqual([1]);
  });

  test('show of an address what is no secret, also where an older version took one with a password and a query', async () => {
    const address = 'rtmp://user:geheim@host/live?key=geheim';
    const where = `devices/${id}`;
    await patch(where, { AV_STREAM_URL: 'rtmp://host/live' });
    const { database } = api.store();
    const text = JSON.stringify(address);
    await database.updateTable('settings').set({ value: text }).where('key', '=', 'AV_STREAM_URL').execute();
    await database.updateTable('settingsRevisionChanges').set({ after: text }).where('key', '=', 'AV_STREAM_URL').execute();
    const changes = JSON.stringify([{ field: 'AV_STREAM_URL', before: null, after: address }]);
    await database.updateTable('auditLog').set({ changes }).where('action', '=', 'settings-changed').execute();
    await patch(where, { AV_STREAM_URL: null });
    expect((await undo(where, 2)).statusCode).toBe(200);
    const stored = await database.selectFrom('settings').select('value').where('key', '=', 'AV_STREAM_URL').execute();
    expect(stored).toEqual([{ value: text }]);
    const voice = api.voice(id);
    voice.connect();
    await voice.say('report', { ...bodies.report(), settings: { AV_STREAM_URL: { value: address, level: 'device' } } });
    const asked = async (url: string) => (await api.request({ method: 'GET', url })).body;
    const shown = [
      await asked(at(where)),
      await asked(at(where, '/revisions')),
      await asked('/api/v1/audit-log?action=settings-changed'),
      await asked(`/api/v1/devices/${id}`),
    ];
    for (const body of shown.slice(0, 3)) expect(body).toContain('rtmp://host/live');
    expect(JSON.stringify([shown, await preview(where, { AV_STREAM_URL: null })]) + api.logText()).not.toContain('geheim');
  });

  test.each(['rtmp://user:geheim@host/live', 'rtmp://host/live?key=geheim', 'rtmps://host/live#geheim'])(
    'an address with a secret in it is refused, with where that belongs: %s',
    async (address) => {
      for (const key of ['AV_STREAM_URL', 'AV_STREAM_URL_3']) {
        const { statusCode, body } = await patch('fleet', { [key]: address });
        expect(statusCode).toBe(400);
        expect(body).toContain(key === 'AV_STREAM_URL' ? 'AV_STREAM_KEY,' : 'AV_STREAM_KEY_3,');
        expect(body).not.toContain('geheim');
        expect(await preview('fleet', { [key]: address })).toMatchObject({ problems: [{ key }] });
      }
      expect((await patch('fleet', { AV_STREAM_URL: 'rtmp://host/live', AV_STREAM_KEY: 'stage?token=geheim&user=x' })).statusCode).toBe(
        200,
      );
    },
  );

  test('each level numbers its own, and those of a removed device go with it', async () => {
    await patch('fleet', { AV_VIDEO_WIDTH: 640 });
    await patch('groups/hall', { AV_VIDEO_WIDTH: 640 });
    await patch(`devices/${id}`, { AV_VIDEO_WIDTH: 640 });
    for (const where of ['fleet', 'groups/hall', `devices/${id}`]) expect((await revisions(where)).revisions[0]?.number).toBe(1);
    await api.request({ method: 'DELETE', url: `/api/v1/devices/${id}` });
    const rows = await api.store().database.selectFrom('settingsRevisionChanges').select('level').orderBy('level').execute();
    expect(rows.map(({ level }) => level)).toEqual(['fleet', 'group']);
    expect((await api.request({ method: 'GET', url: at(`devices/${id}`, '/revisions') })).statusCode).toBe(404);
  });

  test('at most 500 are kept of a level', async () => {
    const { database } = api.store();
    // As many are there already: each takes a whole change of the fleet.
    const kept = { level: 'fleet', scope: '', changedAtMs: api.clock.nowMs(), changedBy: 'x', comment: null, undoes: null };
    const numbers = Array.from({ length: 500 }, (_, index) => ({ ...kept, number: index + 1 }));
    await database.insertInto('settingsRevisions').values(numbers).execute();
    for (const bitrate of [1000, 1001, 1002])
      await api.app.settings.patch({ level: 'fleet', scope: '' }, { AV_VIDEO_BITRATE: bitrate }, 'x');
    const rows = await database.selectFrom('settingsRevisions').select('number').orderBy('number').execute();
    expect(rows).toHaveLength(500);
    expect(rows[0]?.number).toBe(4);
  });
});

describe('undoing', () => {
  test('is a new revision that sets what was set before, and the device gets it', async () => {
    api.voice(id).connect();
    await patch('fleet', { AV_VIDEO_WIDTH: 640, AV_VIDEO_HEIGHT: 480 });
    await patch('fleet', { AV_VIDEO_WIDTH: 800 });
    const answer = await undo('fleet', 2, { comment: 'too wide' });
    expect(answer.json<LevelSettings>().settings).toMatchObject([{ key: 'AV_VIDEO_HEIGHT' }, { key: 'AV_VIDEO_WIDTH', value: plain(640) }]);
    expect((await revisions('fleet')).revisions[0]).toMatchObject({ number: 3, undoes: 2, comment: 'too wide', by: 'admin' });
    expect(api.lastDesired(id)?.levels.fleet).toEqual({ AV_VIDEO_WIDTH: 640, AV_VIDEO_HEIGHT: 480 });
    // What undid can be undone.
    await undo('fleet', 3);
    expect(api.lastDesired(id)?.levels.fleet).toMatchObject({ AV_VIDEO_WIDTH: 800 });
  });

  test('refuses when the same key was changed since, and does it when asked to', async () => {
    await patch('fleet', { AV_VIDEO_WIDTH: 640, AV_VIDEO_HEIGHT: 480 });
    await patch('fleet', { AV_VIDEO_WIDTH: 800 });
    const refused = await undo('fleet', 1);
    expect(refused.statusCode).toBe(409);
    expect(refused.json<Problem>()).toMatchObject({
      code: 'changed-since',
      message: expect.stringContaining('AV_VIDEO_WIDTH in revision 2'),
    });
    expect((await revisions('fleet')).revisions).toHaveLength(2);
    expect((await undo('fleet', 1, { override: true })).json<LevelSettings>().settings).toEqual([]);
    expect((await undo('fleet', 1, { override: true })).json()).toMatchObject({ code: 'nothing-to-undo' });
  });

  test('a secret comes back without ever being shown, and is sealed in the store', async () => {
    api.voice(id).connect();
    await patch('fleet', { AV_STREAM_KEY: 'first-secret' });
    await patch('fleet', { AV_STREAM_KEY: 'second-secret' });
    await undo('fleet', 2);
    expect(api.lastDesired(id)?.levels.fleet).toEqual({ AV_STREAM_KEY: 'first-secret' });
    const page = await revisions('fleet');
    expect(page.revisions[1]?.changes).toEqual([
      { key: 'AV_STREAM_KEY', before: { kind: 'secret', setAt: null }, after: { kind: 'secret', setAt: null } },
    ]);
    const shown = JSON.stringify(page) + JSON.stringify(await preview('fleet', { AV_STREAM_KEY: 'third-secret' })) + api.logText();
    const stored = JSON.stringify(await api.store().database.selectFrom('settingsRevisionChanges').selectAll().execute());
    for (const secret of ['first-secret', 'second-secret', 'third-secret']) expect(shown + stored).not.toContain(secret);
  });

  test('a secret of which only the word was kept cannot come back', async () => {
    await patch('fleet', { AV_STREAM_KEY: 'a-key' });
    await patch('fleet', { AV_STREAM_KEY: null });
    await api.store().database.updateTable('settingsRevisionChanges').set({ before: 'secret' }).where('number', '=', 2).execute();
    expect((await undo('fleet', 2)).json()).toMatchObject({ code: 'not-kept' });
  });

  test.each([7, 'x', '0', '99999999999999999'])('of revision %s, which is not there', async (number) => {
    expect((await undo('fleet', number)).statusCode).toBeGreaterThanOrEqual(400);
    expect((await undo('fleet', number)).statusCode).toBeLessThan(500);
  });
});

describe('a preview', () => {
  test('counts each device once, also of a fleet that is read in pages, and names those first that it touches', async () => {
    await patch('groups/stage', { AV_VIDEO_WIDTH: 1920 });
    const { database } = api.app.store;
    const left = await findDevice(database, id);
    if (left === undefined) throw new Error('expected the device that has joined');
    for (let number = 0; number < 520; number += 1) {
      const groupName = number % 2 === 0 ? 'stage' : 'hall';
      await insertDevice(database, { ...left, id: `d-${String(number).padStart(12, '0')}`, name: `Camera ${number}`, groupName });
    }
    const answer = await preview('fleet', { AV_VIDEO_WIDTH: 640 });
    expect([answer.deviceCount, answer.touchedCount]).toEqual([521, 261]);
    expect(answer.devices.length).toBeGreaterThan(0);
    for (const { name, changes } of answer.devices) expect(changes, name).toMatchObject([{ effect: 'value' }]);
  });

  test('says which devices it touches, with what, and where a stronger level says otherwise; nothing is stored', async () => {
    const stage = (await api.join({ name: 'Stage', group: 'stage' })).deviceId;
    const voice = api.voice(id);
    voice.connect();
    await voice.say('presence', bodies.online);
    await voice.say('report', bodies.report());
    await patch('groups/stage', { AV_VIDEO_WIDTH: 1920 });
    const published = api.published.length;
    const answer = await preview('fleet', { AV_VIDEO_WIDTH: 640 });
    expect(answer).toEqual({
      changes: [{ key: 'AV_VIDEO_WIDTH', before: null, after: plain(640) }],
      deviceCount: 2,
      touchedCount: 1,
      devices: [
        {
          ...{ id, name: 'Left', isOnline: true },
          changes: [
            {
              key: 'AV_VIDEO_WIDTH',
              from: { value: plain(1280), level: 'default' },
              to: { value: plain(640), level: 'fleet' },
              effect: 'value',
            },
          ],
        },
        {
          ...{ id: stage, name: 'Stage', isOnline: false },
          changes: [
            {
              key: 'AV_VIDEO_WIDTH',
              from: { value: plain(1920), level: 'group' },
              to: { value: plain(1920), level: 'group' },
              effect: 'none',
            },
          ],
        },
      ],
      next: null,
      problems: [],
    });
    expect(api.published).toHaveLength(published);
    expect((await revisions('fleet')).revisions).toEqual([]);
  });

  test('unsetting shows what is in force then; the same value from another level is no other value', async () => {
    await patch('fleet', { AV_VIDEO_WIDTH: 640 });
    await patch('groups/hall', { AV_VIDEO_WIDTH: 640 });
    const [device] = (await preview('groups/hall', { AV_VIDEO_WIDTH: null })).devices;
    expect(device?.changes).toMatchObject([{ from: { level: 'group' }, to: { value: plain(640), level: 'fleet' }, effect: 'level' }]);
    expect(await preview(`devices/${id}`, { AV_VIDEO_WIDTH: 320 })).toMatchObject({ deviceCount: 1, touchedCount: 1 });
  });

  test('lists every problem, and still shows what the rest would do', async () => {
    const answer = await preview('fleet', { AV_VIDEO_WIDTH: 'wide', AV_NOTHING: 1, AV_VIDEO_HEIGHT: 480 });
    expect(answer.problems.map(({ key }) => key).toSorted()).toEqual(['AV_NOTHING', 'AV_VIDEO_WIDTH']);
    expect(answer.changes.map(({ key }) => key)).toEqual(['AV_VIDEO_HEIGHT']);
  });

  test('counts all of many devices and tells of them a page at a time, each once', async () => {
    for (let index = 0; index < 24; index += 1) await api.join({ name: `p${String(index).padStart(2, '0')}` });
    const answer = await preview('fleet', { AV_VIDEO_WIDTH: 640 });
    expect(answer).toMatchObject({ deviceCount: 25, touchedCount: 25 });
    expect(answer.devices).toHaveLength(20);
    expect(answer.devices[0]?.name).toBe('Left');
    expect(answer.next).toBe(20);
    const rest = await preview('fleet', { AV_VIDEO_WIDTH: 640 }, '?skip=20&limit=200');
    expect([rest.deviceCount, rest.touchedCount, rest.next]).toEqual([25, 25, null]);
    expect(rest.devices).toHaveLength(5);
    for (const { changes } of rest.devices) expect(changes).toMatchObject([{ effect: 'value', to: { value: plain(640) } }]);
    expect(new Set([...answer.devices, ...rest.devices].map((device) => device.id)).size).toBe(25);
    expect((await preview('fleet', { AV_VIDEO_WIDTH: 640 }, '?skip=25')).devices).toEqual([]);
  });

  test.each(['fleet', 'groups/hall'])('says what is being rolled out for %s, and cannot be saved until that is over', async (where) => {
    const scope = where === 'fleet' ? { kind: 'fleet' } : { kind: 'group', name: 'hall' };
    const plan = { kind: 'waves', canary: 1, shares: [100], soakS: 600, failureThresholdPercent: 0 };
    await patch(where, { AV_VIDEO_WIDTH: 800 });
    const begun = await api.request({ method: 'POST', url: '/api/v1/rollouts', payload: { scope, patch: { AV_VIDEO_WIDTH: 640 }, plan } });
    const { id: rolloutId } = begun.json<{ id: string }>();
    const { problems, changes } = await preview(where, { AV_VIDEO_WIDTH: 320, AV_VIDEO_HEIGHT: 480 });
    expect(problems).toEqual([{ key: 'AV_VIDEO_WIDTH', expected: expect.stringContaining(rolloutId), came: `roll-out ${rolloutId}` }]);
    expect(changes).toHaveLength(2);
    expect((await patch(where, { AV_VIDEO_WIDTH: 320, AV_VIDEO_HEIGHT: 480 })).json()).toMatchObject({ code: 'under-way' });
    expect((await previewUndo(where, 1)).json<SettingsPreview>().problems).toEqual(problems);
    expect((await undo(where, 1)).json()).toMatchObject({ code: 'under-way' });
    // Neither of these is.
    expect(await preview(where, { AV_VIDEO_WIDTH: 800, AV_VIDEO_HEIGHT: 480 })).toMatchObject({ problems: [] });
    expect(await preview(`devices/${id}`, { AV_VIDEO_WIDTH: 320 })).toMatchObject({ problems: [] });
  });

  test('of undoing a revision says what that touches, and with what it would be refused; nothing is stored', async () => {
    await patch('fleet', { AV_VIDEO_WIDTH: 640, AV_STREAM_KEY: 'first-secret' });
    await patch('fleet', { AV_VIDEO_WIDTH: 800 });
    const last = (await previewUndo('fleet', 2)).json<SettingsPreview>();
    expect(last).toMatchObject({
      changes: [{ key: 'AV_VIDEO_WIDTH', before: plain(800), after: plain(640) }],
      ...{ deviceCount: 1, touchedCount: 1, problems: [] },
      devices: [{ id, changes: [{ key: 'AV_VIDEO_WIDTH', to: { value: plain(640), level: 'fleet' }, effect: 'value' }] }],
    });
    const first = (await previewUndo('fleet', 1)).json<SettingsPreview>();
    expect(first.problems).toEqual([{ key: 'AV_VIDEO_WIDTH', expected: 'unchanged since revision 1', came: 'changed in revision 2' }]);
    const nevertheless = await previewUndo('fleet', 1, { override: true });
    expect(nevertheless.json<SettingsPreview>()).toMatchObject({ changes: [{}, {}], problems: [] });
    expect(nevertheless.body).not.toContain('first-secret');
    expect((await revisions('fleet')).revisions).toHaveLength(2);
    await undo('fleet', 2);
    expect((await previewUndo('fleet', 2, { override: true })).json()).toMatchObject({ code: 'nothing-to-undo' });
    expect((await previewUndo('fleet', 7)).statusCode).toBe(404);
  });
});
