/** Two fleet servers on one PostgreSQL database and one mosquitto: a device belongs to none of them. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { CommandStatus } from '#protocol/model/command.ts';
import type { DeviceDetail } from '#protocol/model/device.ts';
import type { History } from '#protocol/model/history.ts';
import type { DeviceLog } from '#protocol/model/log.ts';
import { timeUntil, until } from '../../../until.ts';
import { bodies } from '../../api-under-test.ts';
import { openCommandPage } from '../../servers/command-page.ts';
import { type OneServer, ServersUnderTest } from '../../servers/servers-under-test.ts';
import type { SimpleDevice } from '../../servers/simple-device.ts';
import { type Mosquitto, startMosquitto } from './mosquitto.ts';

let broker: Mosquitto;
let fleet: ServersUnderTest;
beforeAll(async () => {
  broker = await startMosquitto();
  fleet = await ServersUnderTest.start(2, broker.environment);
  for (const server of fleet.servers) await until('ready', 10_000, () => isReady(server));
}, 120_000);
afterAll(async () => {
  await fleet?.remove();
  await broker?.remove();
}, 60_000);

const board = (name: string, appliedRevision: number) =>
  bodies.report({ appliedRevision, inventory: { ...bodies.report().inventory, board: { id: 'pc', name, architecture: 'x64' } } });
const isReady = async (server: OneServer) => (await fetch(`${server.url}/readyz`)).status === 200;
const deviceAt = (server: OneServer, id: string) => server.json<DeviceDetail>('GET', `/devices/${id}`);
const presenceAt = async (server: OneServer, id: string) => (await deviceAt(server, id)).presence?.state;
const commandAt = (server: OneServer, id: string, commandId: string) =>
  server.json<CommandStatus>('GET', `/devices/${id}/commands/${commandId}`);

describe('two servers and an external broker', { timeout: 60_000 }, () => {
  test('what a device says is shown by both, whichever hears it', async () => {
    const device = await fleet.join(fleet.server(0), 'wanderer');
    await device.connect(broker.port);
    for (const framesPerSecond of [27, 28, 29]) await device.say('health', bodies.health(framesPerSecond));
    const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]);
    await device.sayPreview(jpeg);
    await device.say('log', { lines: ['a line', 'another'] });
    for (const server of fleet.servers) {
      const shown = await until('shown as online with its newest figures', 5000, async () => {
        const detail = await deviceAt(server, device.id);
        return detail.presence.state === 'online' && detail.figures?.framesPerSecond === 29 && detail.versions !== null && detail;
      });
      expect(shown.inventory?.board.name).toBe('A computer');
      const picture = await until('its preview', 5000, async () => {
        const answer = await server.request('GET', `/devices/${device.id}/preview.jpg`);
        return answer.status === 200 && answer;
      });
      expect(Buffer.from(await picture.arrayBuffer())).toEqual(jpeg);
      // The broker has it before the server does.
      const { lines } = await until('its log', 5000, async () => {
        const log = await server.json<DeviceLog>('GET', `/devices/${device.id}/logs`);
        return log.lines.length > 0 && log;
      });
      expect(lines).toMatchObject([{ text: 'a line' }, { text: 'another' }]);
    }
    device.leave();
    for (const server of fleet.servers) {
      const tookMs = await timeUntil('shown as offline', 5000, async () => (await presenceAt(server, device.id)) === 'offline');
      console.info(`offline after its will: ${tookMs} ms`);
    }
    const { entries } = await fleet.server(1).json<History>('GET', `/devices/${device.id}/history`);
    expect(entries.filter(({ kind }) => kind === 'device-online')).toHaveLength(1);
    expect(entries.filter(({ kind }) => kind === 'device-offline')).toHaveLength(1);
  });

  test('it is steered by both: each command is done once, of two settings the newer is in force', async () => {
    const device = await fleet.join(fleet.server(1), 'obeys');
    await device.connect(broker.port);
    for (const server of fleet.servers) await until('online', 5000, async () => (await presenceAt(server, device.id)) === 'online');
    const asked = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        fleet.server(index % 2).json<CommandStatus>('POST', `/devices/${device.id}/commands`, { kind: 'restart-pipeline' }),
      ),
    );
    for (const { id } of asked) {
      await until('done', 10_000, async () => (await commandAt(fleet.server(0), device.id, id)).state === 'done');
    }
    expect(device.done.toSorted()).toEqual(asked.map(({ id }) => id).toSorted());
    for (const bitrate of [1000, 1100, 1200, 1300]) {
      const at = fleet.server(bitrate % 200 === 0 ? 0 : 1);
      expect((await at.request('PATCH', `/devices/${device.id}/settings`, { AV_VIDEO_BITRATE: bitrate })).status).toBe(200);
    }
    await until('the newest', 5000, () => device.lastDesired?.levels.device['AV_VIDEO_BITRATE'] === 1300);
    expect(device.revisions).toEqual([...new Set(device.revisions)].toSorted((a, b) => a - b));
    for (const server of fleet.servers) {
      await until('applied', 5000, async () => (await deviceAt(server, device.id)).settings.kind === 'applied');
    }
  });

  test('how far a command is reaches the pages at both, whichever hears it', async () => {
    const device = await fleet.join(fleet.server(0), 'takes its time');
    device.isSlow = true;
    await device.connect(broker.port);
    for (const server of fleet.servers) await until('online', 5000, async () => (await presenceAt(server, device.id)) === 'online');
    const { id } = await fleet.server(1).json<CommandStatus>('POST', `/devices/${device.id}/commands`, { kind: 'run-doctor' });
    await until('it has it', 10_000, () => device.arrivals.has(id));
    const pages = await Promise.all(fleet.servers.map((server) => openCommandPage(server, device.id, id)));
    for (const page of pages) onTestFinished(() => page.close());
    for (let made = 1; made <= 6; made += 1) {
      const detail = `${made} checks made`;
      await device.say('command-progress', { id, elapsedMs: made * 1000, detail });
      for (const page of pages) await until('how far it is', 10_000, () => page.shown()?.progress?.detail === detail);
    }
    await device.say('command-result', { id, outcome: 'done', detail: '9 pass' });
    for (const page of pages) await until('done', 10_000, () => page.shown()?.state === 'done');
  });

  test('a device has no place in the topics of another, and its will neither', async () => {
    const thief = await fleet.join(fleet.server(0), 'thief');
    const victim = await fleet.join(fleet.server(0), 'victim');
    await victim.connect(broker.port);
    await until('online', 5000, async () => (await presenceAt(fleet.server(0), victim.id)) === 'online');
    expect(await thief.trySubscribe(broker.port, victim.id)).toEqual({ own: 1, foreign: 128, everything: 128, shared: 128 });
    await thief.sayAs(victim.id, 'presence', bodies.stopping);
    thief.leave();
    await thief.connectWithWillOf(broker.port, victim.id);
    thief.leave();
    await thief.connect(broker.port);
    for (const server of fleet.servers) {
      await until('the thief is heard again', 5000, async () => (await presenceAt(server, thief.id)) === 'online');
      expect(await presenceAt(server, victim.id)).toBe('online');
    }
    expect(victim.isConnected).toBe(true);
  });

  test('one that is removed is cut, and is not let in again', async () => {
    const device = await fleet.join(fleet.server(0), 'leaves');
    await device.connect(broker.port);
    expect((await fleet.server(1).request('DELETE', `/devices/${device.id}`)).status).toBe(204);
    await until('its connection is cut', 5000, () => !device.isConnected);
    await expect(device.connect(broker.port)).rejects.toThrow();
  });

  test('one that is blocked is cut and stays out, whichever server it asks, until it is let in again', async () => {
    const device = await fleet.join(fleet.server(0), 'shut out');
    await device.connect(broker.port);
    for (const server of fleet.servers) await until('online', 5000, async () => (await presenceAt(server, device.id)) === 'online');
    const decide = (server: OneServer, decision: string) => server.request('POST', `/devices/${device.id}/access`, { decision });
    expect((await decide(fleet.server(1), 'block')).status).toBe(204);
    await until('its connection is cut', 5000, () => !device.isConnected);
    for (const server of fleet.servers) {
      const shown = await until('shown as blocked and gone', 5000, async () => {
        const detail = await deviceAt(server, device.id);
        return detail.blockedSince !== null && detail.presence.state === 'offline' && detail;
      });
      expect(shown.conditions.map(({ code }) => code)).toEqual(['blocked']);
      expect(await device.showCredential(server.url)).toMatchObject({ status: 401 });
      await expect(device.connect(broker.port)).rejects.toThrow();
    }
    expect((await decide(fleet.server(0), 'let-in')).status).toBe(204);
    await until('it is let in', 5000, async () => (await device.showCredential(fleet.server(1).url)).status === 200);
    await device.connect(broker.port);
    for (const server of fleet.servers) await until('online', 5000, async () => (await presenceAt(server, device.id)) === 'online');
  });

  test('one that floods is slowed, named and cut, and the others are served meanwhile', async () => {
    const [flooding, calm] = [await fleet.join(fleet.server(0), 'floods'), await fleet.join(fleet.server(0), 'calm')];
    await calm.connect(broker.port);
    await flooding.connect(broker.port);
    await until('online', 20_000, async () => (await presenceAt(fleet.server(0), calm.id)) === 'online');
    const flooded = flooding.flood();
    await until('named and cut', 20_000, () => !flooding.isConnected);
    await until('its name in its history', 5000, async () => {
      const { entries } = await fleet.server(0).json<History>('GET', `/devices/${flooding.id}/history?limit=500`);
      return entries.some(({ detail }) => detail.startsWith('flooding'));
    });
    const { id } = await fleet.server(1).json<CommandStatus>('POST', `/devices/${calm.id}/commands`, { kind: 'restart-pipeline' });
    await until('done', 10_000, async () => (await commandAt(fleet.server(0), calm.id, id)).state === 'done');
    await flooded;
    // What it said in vain comes again with the next connection; this is how it is let in.
    await flooding.connect(broker.port);
    for (const server of fleet.servers) await until('online', 20_000, async () => (await presenceAt(server, flooding.id)) === 'online');
  });

  test('what is heard in the wrong order brings no old state back', async () => {
    const device = await fleet.join(fleet.server(0), 'muddled');
    await device.connect(broker.port);
    await until('steered once', 5000, () => device.revisions.length > 0);
    await device.connect(broker.port);
    for (const server of fleet.servers) await until('online', 5000, async () => (await presenceAt(server, device.id)) === 'online');
    // Each goes to one server or the other; what is old is said last, several times, so that both hear it.
    await device.say('report', board('The newest board', device.revisions.at(-1) ?? 0));
    await device.say('health', bodies.health(31));
    for (let round = 0; round < 4; round += 1) {
      await device.sayAgain('earlier sequence', 'report', board('An old board', 0));
      await device.sayAgain('earlier sequence', 'health', bodies.health(1));
      await device.sayAgain('earlier session', 'report', board('An older board', 0));
      await device.sayAgain('earlier session', 'health', bodies.health(2));
      await device.sayAgain('earlier session', 'presence', bodies.stopping);
    }
    const marker = await fleet.join(fleet.server(0), 'marker');
    await marker.connect(broker.port);
    for (const server of fleet.servers) {
      await until('what came after it is dealt with', 5000, async () => (await presenceAt(server, marker.id)) === 'online');
      const shown = await until('the newest of each', 5000, async () => {
        const detail = await deviceAt(server, device.id);
        return detail.figures?.framesPerSecond === 31 && detail.inventory?.board.name === 'The newest board' && detail;
      });
      expect(shown).toMatchObject({ presence: { state: 'online' }, settings: { kind: 'applied' } });
    }
  });
});

describe('two servers that hear two reports at once', { timeout: 60_000 }, () => {
  test('show the newer one, both of them', async () => {
    const device = await fleet.join(fleet.server(0), 'says-much');
    await device.connect(broker.port);
    // A report from before counts for nothing after it: the device reports once more what it then has.
    await until('steered', 5000, () => device.revisions.length > 0);
    for (let round = 0; round < 20; round += 1) {
      const said = ['first', 'second', 'third', 'last'].map((word) => `${word} board of round ${round}`);
      await Promise.all(said.map((name) => device.say('report', board(name, device.revisions.at(-1) ?? 0))));
      for (const server of fleet.servers) {
        await until('the newest report', 5000, async () => (await deviceAt(server, device.id)).inventory?.board.name === said.at(-1));
      }
    }
  });
});

describe('a server that was held up while devices joined at another', { timeout: 60_000 }, () => {
  test('takes what they have said to it since, and each is shown and steered by both', async () => {
    const devices: SimpleDevice[] = [];
    const { child } = fleet.server(1).running;
    child.kill('SIGSTOP');
    try {
      for (const name of ['early', 'earlier', 'earlier still', 'earliest']) {
        const device = await fleet.join(fleet.server(0), name);
        await device.connect(broker.port);
        devices.push(device);
      }
    } finally {
      child.kill('SIGCONT');
    }
    for (const device of devices) {
      for (const server of fleet.servers) {
        await until('shown as it is', 5000, async () => {
          const { presence, versions, settings } = await deviceAt(server, device.id);
          return presence.state === 'online' && versions !== null && settings.kind === 'applied';
        });
      }
    }
  });
});

describe('the broker is started again', { timeout: 60_000 }, () => {
  test('nobody is called offline, all come back, and what was asked for meanwhile is done once', async () => {
    const device = await fleet.join(fleet.server(0), 'patient');
    await device.connect(broker.port);
    for (const server of fleet.servers) await until('online', 5000, async () => (await presenceAt(server, device.id)) === 'online');
    await broker.stop('SIGKILL');
    for (const server of fleet.servers) {
      await until('not ready, with a reason', 5000, async () => {
        const response = await fetch(`${server.url}/readyz`);
        return response.status === 503 && /MQTT broker/.test(await response.text());
      });
      expect(await presenceAt(server, device.id)).toBe('unknown');
    }
    const asked = await fleet.server(1).json<CommandStatus>('POST', `/devices/${device.id}/commands`, { kind: 'restart-pipeline' });
    await broker.start();
    for (const server of fleet.servers) await until('ready again', 20_000, () => isReady(server));
    await device.connect(broker.port);
    await until('done', 15_000, async () => (await commandAt(fleet.server(0), device.id, asked.id)).state === 'done');
    expect(device.done).toEqual([asked.id]);
    for (const server of fleet.servers) await until('online', 5000, async () => (await presenceAt(server, device.id)) === 'online');
  });

  test('a broker that has lost its clients learns each again from the device that shows its credential', async () => {
    const device = await fleet.join(fleet.server(0), 'forgotten');
    await device.connect(broker.port);
    await broker.stop();
    await broker.forget();
    await broker.start();
    for (const server of fleet.servers) await until('ready again', 20_000, () => isReady(server));
    await expect(device.connect(broker.port)).rejects.toThrow();
    expect(await device.showCredential(fleet.server(1).url)).toMatchObject({ status: 200, mqttUrl: `mqtt://127.0.0.1:${broker.port}` });
    await device.connect(broker.port);
    await until('online', 5000, async () => (await presenceAt(fleet.server(0), device.id)) === 'online');
    expect(await device.showCredential(fleet.server(1).url, 'a wrong one')).toMatchObject({ status: 401 });
    expect(device.isConnected).toBe(true);
  });
});
