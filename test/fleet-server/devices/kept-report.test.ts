import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keptReport, readReport } from '#fleet-server/devices/kept-report.ts';
import { type ApiUnderTest, bodies, type DeviceVoice, startApi } from '../api-under-test.ts';

test('what lasts is kept, and nothing of how it streams at the moment', () => {
  const { media, outputs, conditions, ...lasting } = bodies.report();
  const kept = keptReport(bodies.report());
  expect(readReport(kept)).toEqual(lasting);
  expect([media.kind, outputs.length, conditions.length]).toEqual(['running', 1, 0]);
  expect(keptReport(bodies.report({ outputs: [], conditions: [{ code: 'output-down', since: '2026-11-21T12:00:00.000Z' }] }), kept)).toBe(
    kept,
  );
  expect(keptReport(bodies.report({ encoder: null }), kept)).not.toBe(kept);
});

describe('of a device', () => {
  let api: ApiUnderTest;
  let voice: DeviceVoice;
  beforeEach(async () => {
    api = await startApi();
    voice = api.voice((await api.join()).deviceId);
    voice.connect();
    await voice.say('report', bodies.report());
  });
  afterEach(() => api.close());

  const inStore = () => {
    const { database } = api.store();
    const query = database.selectFrom('deviceStates').select(['report', 'heardAtMs']).where('deviceId', '=', voice.id);
    return query.executeTakeFirstOrThrow();
  };
  const heardAtMs = () => api.app.devices.get(voice.id)?.heardAtMs;
  /** What only a further write would take away. */
  const mark = () => api.store().database.updateTable('deviceStates').set({ report: '{}' }).where('deviceId', '=', voice.id).execute();
  const restart = async () => {
    const { directory, clock } = api;
    await api.stop();
    api = await startApi({ directory, clock });
    voice = api.voice(voice.id);
  };

  test('a report that says nothing new is not written again, when its device was heard is; and what the store refused is written later', async () => {
    const { database } = api.store();
    expect(JSON.parse((await inStore()).report ?? '')).toEqual(readReport(keptReport(bodies.report())));
    await mark();
    await api.clock.advance(60_000);
    await voice.say('report', bodies.report({ outputs: [] }));
    await api.clock.advance(1000);
    expect(await inStore()).toEqual({ report: '{}', heardAtMs: heardAtMs() });
    const changed = bodies.report({ encoder: null });
    await sql`alter table "deviceStates" rename to "elsewhere"`.execute(database);
    await expect(voice.say('report', changed)).rejects.toThrow();
    await sql`alter table "elsewhere" rename to "deviceStates"`.execute(database);
    await voice.say('report', changed);
    expect((await inStore()).report).toContain('"encoder":null');
  });

  test('after a restart of the server its report is as it was, and not written again', async () => {
    const before = api.app.devices.get(voice.id)?.report;
    await api.clock.advance(60_000);
    await voice.say('report', bodies.report());
    const heardBeforeMs = heardAtMs();
    await restart();
    expect((await inStore()).heardAtMs).toBe(heardBeforeMs);
    expect(api.app.devices.get(voice.id)?.report).toEqual(before);
    await mark();
    voice.newSession();
    voice.connect();
    await voice.say('report', bodies.report());
    expect((await inStore()).report).toBe('{}');
  });
});
