import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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
const preview = async (where: string, payload: object) =>
  (await api.request({ method: 'POST', url: at(where, '/preview'), payload })).json<SettingsPreview>();
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
    for (let index = 0; index < 503; index += 1)
      await api.app.settings.patch({ level: 'fleet', scope: '' }, { AV_VIDEO_BITRATE: 1000 + index }, 'x');
    const rows = await api.store().database.selectFrom('settingsRevisions').select('number').orderBy('number').execute();
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

  test('counts all of many devices and names the first', async () => {
    for (let index = 0; index < 24; index += 1) await api.join({ name: `p${String(index).padStart(2, '0')}` });
    const answer = await preview('fleet', { AV_VIDEO_WIDTH: 640 });
    expect(answer).toMatchObject({ deviceCount: 25, touchedCount: 25 });
    expect(answer.devices).toHaveLength(20);
    expect(answer.devices[0]?.name).toBe('Left');
  });
});
