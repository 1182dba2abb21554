/** Two boards with the card of one device: noticed, told, and told apart. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { unkeptBootId } from '#protocol/identifiers.ts';
import type { Command } from '#protocol/messages.ts';
import type { DeviceDetail } from '#protocol/model/device.ts';
import { type ApiUnderTest, bodies, type Joined, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
let joined: Joined;
beforeEach(async () => {
  api = await startApi();
  joined = await api.join({ name: 'stage' });
});
afterEach(() => api.close());

const original = { id: 'a'.repeat(16), hostName: 'pi-stage' };
const copy = { id: 'b'.repeat(16), hostName: 'pi-copy' };
const device = async () => (await api.request({ method: 'GET', url: `/api/v1/devices/${joined.deviceId}` })).json<DeviceDetail>();
const codes = async () => (await device()).conditions.map(({ code }) => code);
const historyKinds = async () => {
  const { entries } = (await api.app.history.page(joined.deviceId, { limit: 100 })) as { entries: { kind: string; detail: string }[] };
  return entries.map(({ kind }) => kind).toReversed();
};
const commands = () => api.published.filter(({ name }) => name === 'command').map(({ body }) => body as Command);
const ask = (board = copy, credential = joined.credential) =>
  api.app.inject({ method: 'POST', url: '/api/v1/enrolments/copies', payload: { deviceId: joined.deviceId, credential, board } });

/** Each connection of each board is a session of its own, as both count on from where the card was copied. */
function twoBoards() {
  const voice = api.voice(joined.deviceId);
  voice.connect();
  return async (board: typeof original | undefined, bootId: string) => {
    voice.newSession(bootId);
    await voice.say('hello', { ...bodies.hello(), ...(board === undefined ? {} : { board }) });
  };
}

describe('agents that say on which board they are', () => {
  test('the copy is asked to join anew as soon as both are known to live, and the original stays', async () => {
    const hello = twoBoards();
    await hello(original, 'boot-a');
    expect(await device()).toMatchObject({ boards: [{ id: original.id, hostName: 'pi-stage', isOnRecord: true }] });
    await hello(copy, 'boot-b');
    expect(await codes()).toEqual([]);
    await hello(original, 'boot-a');
    expect(await codes()).toContain('joined-twice');
    expect(commands()).toEqual([]);
    await hello(copy, 'boot-b');
    expect(commands()).toMatchObject([{ kind: 'join-anew', arguments: { boardId: original.id } }]);
    const { conditions, boards } = await device();
    expect(conditions.find(({ code }) => code === 'joined-twice')?.detail).toContain(`board ${copy.id} (pi-copy), the copy`);
    expect(boards.find(({ isOnRecord }) => isOnRecord)?.id).toBe(original.id);
    expect((await historyKinds()).filter((kind) => kind === 'joined-twice')).toHaveLength(1);
    expect(await historyKinds()).toContain('board-differs');
    // Asked once a minute, however often the two throw each other off.
    await hello(original, 'boot-a');
    await hello(copy, 'boot-b');
    expect(new Set(commands().map(({ id }) => id)).size).toBe(1);
    api.clock.jump(600_000);
    await api.clock.advance(1000);
    expect(await codes()).not.toContain('joined-twice');
  });

  test('a clock that is set back keeps nothing shown of two that are not at it any more, and tells anew of two that are', async () => {
    const hello = twoBoards();
    await hello(original, 'boot-a');
    await hello(copy, 'boot-b');
    await hello(original, 'boot-a');
    api.clock.set(-3_600_000);
    await api.clock.advance(1000);
    expect(await codes()).not.toContain('joined-twice');
    await hello(original, 'boot-a');
    expect(await codes()).not.toContain('joined-twice');
    await hello(copy, 'boot-b');
    await hello(original, 'boot-a');
    expect(await codes()).toContain('joined-twice');
    expect((await historyKinds()).filter((kind) => kind === 'joined-twice')).toHaveLength(2);
  });

  test('the copy is asked again after a minute, whatever time the clock is set to', async () => {
    const hello = twoBoards();
    const throwOff = async () => {
      await hello(original, 'boot-a');
      await hello(copy, 'boot-b');
    };
    const asked = () => new Set(commands().map(({ id }) => id)).size;
    await throwOff();
    await throwOff();
    expect(asked()).toBe(1);
    api.clock.set(300_000);
    await throwOff();
    expect(asked()).toBe(1);
    api.clock.set(-3_600_000);
    await api.clock.advance(60_000);
    await throwOff();
    await throwOff();
    expect(asked()).toBe(2);
  });

  test('a card that was moved is no fault', async () => {
    const hello = twoBoards();
    await hello(original, 'boot-a');
    await hello(copy, 'boot-b');
    await hello(copy, 'boot-c');
    expect(await codes()).toEqual([]);
    expect((await historyKinds()).filter((kind) => kind === 'board-differs')).toHaveLength(1);
  });

  test('what was seen is still known after a restart of the server', async () => {
    const hello = twoBoards();
    await hello(original, 'boot-a');
    await hello(copy, 'boot-b');
    await hello(original, 'boot-a');
    await api.stop();
    api = await startApi({ directory: api.directory, clock: api.clock });
    expect(await codes()).toContain('joined-twice');
  });
});

describe('agents that do not', () => {
  test('are noticed by their boots, and told as what they are', async () => {
    const hello = twoBoards();
    await hello(undefined, 'boot-a');
    await hello(undefined, 'boot-b');
    expect(await codes()).toEqual([]);
    await hello(undefined, 'boot-a');
    const { conditions } = await device();
    expect(conditions.find(({ code }) => code === 'joined-twice')?.detail).toContain('Neither says which board it is');
    expect(commands()).toEqual([]);
  });

  test('are one board where a card takes nothing for a while, and two where another one is heard meanwhile', async () => {
    const hello = twoBoards();
    await hello(undefined, 'boot-a');
    await hello(undefined, unkeptBootId('boot-a', 3));
    await hello(undefined, 'boot-a');
    expect(await codes()).toEqual([]);
    await hello(undefined, unkeptBootId('boot-b', 5));
    await hello(undefined, unkeptBootId('boot-a', 6));
    expect(await codes()).toEqual(['joined-twice']);
  });
});

describe('a board that finds another one’s credential on its card', () => {
  test('waits while the device is there, and is shown', async () => {
    await twoBoards()(original, 'boot-a');
    await api.clock.advance(1000);
    expect((await ask()).json()).toEqual({ verdict: 'wait' });
    expect(await codes()).toContain('joined-twice');
    expect((await device()).boards.map(({ id }) => id).toSorted()).toEqual([original.id, copy.id]);
    api.clock.jump(86_460_000);
    // A day later the original is still connected: it is the device.
    api.voice(joined.deviceId).connect();
    expect((await ask()).json()).toEqual({ verdict: 'wait' });
  });

  test('is the device when a person says that the card was moved', async () => {
    await twoBoards()(original, 'boot-a');
    await ask();
    const move = (boardId: string, as?: string) =>
      api.request({
        method: 'POST',
        url: `/api/v1/devices/${joined.deviceId}/board`,
        payload: { boardId },
        ...(as === undefined ? {} : { as }),
      });
    expect((await move('c'.repeat(16))).statusCode).toBe(404);
    expect((await move(copy.id, await api.addPerson('vera', 'viewer'))).statusCode).toBe(403);
    expect((await move(copy.id)).statusCode).toBe(204);
    expect((await ask()).json()).toEqual({ verdict: 'take-over' });
    expect(await codes()).not.toContain('joined-twice');
    expect((await device()).boards).toMatchObject([{ id: copy.id, isOnRecord: true }]);
    expect((await api.request({ method: 'GET', url: '/api/v1/audit-log' })).body).toContain('device-board-changed');
  });

  test('is the device by itself once the other one has been away for a day', async () => {
    const voice = api.voice(joined.deviceId);
    voice.connect();
    await voice.say('hello', { ...bodies.hello(), board: original });
    voice.disconnect();
    await api.clock.advance(1000);
    expect((await ask()).json()).toEqual({ verdict: 'wait' });
    api.clock.jump(43_200_000);
    expect((await ask()).json()).toEqual({ verdict: 'wait' });
    api.clock.jump(43_200_001);
    expect((await ask()).json()).toEqual({ verdict: 'take-over' });
  });

  test('is told nothing without the credential', async () => {
    expect((await ask(copy, 'x'.repeat(43))).statusCode).toBe(403);
    expect(await codes()).toEqual([]);
  });
});
