/** Three fleet servers on one PostgreSQL database: to people and devices they are one. */
import { Client } from 'pg';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '#fleet-server/clock.ts';
import { findDevice, insertDevice } from '#fleet-server/devices/devices-store.ts';
import { lossPolicy } from '#fleet-server/devices/losses.ts';
import { exitCodes } from '#fleet-server/process/exit-codes.ts';
import { aloneOnDatabase } from '#fleet-server/servers/contract.ts';
import { FleetRelays } from '#fleet-server/servers/fleet-relays.ts';
import { LiveExchange } from '#fleet-server/servers/live-exchange.ts';
import { claimLive, removeServer, sayAlive } from '#fleet-server/servers/servers-store.ts';
import { openStore } from '#fleet-server/store/store.ts';
import type { AlertList } from '#protocol/model/alert.ts';
import type { CommandStatus } from '#protocol/model/command.ts';
import type { DeviceDetail, DeviceList, GroupingResult, Playback, RenamedGroup, TaggingResult } from '#protocol/model/device.ts';
import type { DeviceLog } from '#protocol/model/log.ts';
import type { MaintenanceWindow } from '#protocol/model/maintenance.ts';
import type { DeviceSettings } from '#protocol/model/settings.ts';
import { timeUntil, until } from '../../until.ts';
import { bodies } from '../api-under-test.ts';
import { manualClock } from '../manual-clock.ts';
import { publish } from '../relay/publisher.ts';
import { openCommandPage } from './command-page.ts';
import { leaderLine, type OneServer, ServersUnderTest } from './servers-under-test.ts';

let fleet: ServersUnderTest;
beforeAll(async () => {
  fleet = await ServersUnderTest.start(3);
}, 120_000);
afterAll(() => fleet.remove(), 60_000);

const deviceAt = (server: OneServer, id: string) => server.json<DeviceDetail>('GET', `/devices/${id}`);
const presenceAt = async (server: OneServer, id: string) => (await deviceAt(server, id)).presence?.state;
const leaders = (servers: readonly OneServer[]) => servers.filter(({ running }) => running.output().includes(leaderLine));

describe('three servers on one database', { timeout: 60_000 }, () => {
  test('exactly one leads', async () => {
    await until('a leader', 10_000, () => leaders(fleet.servers).length > 0);
    expect(leaders(fleet.servers)).toHaveLength(1);
  });

  test('a device that joined at one connects to another, and each shows it', async () => {
    const device = await fleet.join(fleet.server(0), 'wanderer');
    await until('it is let in', 5000, () => device.connect(fleet.server(1).mqttPort).then(() => true));
    await device.say('health', bodies.health(29));
    for (const server of fleet.servers) {
      const shown = await until('shown as online with its figures', 5000, async () => {
        const detail = await deviceAt(server, device.id);
        return detail.presence.state === 'online' && detail.figures?.framesPerSecond === 29 && detail.versions !== null && detail;
      });
      expect(shown.inventory?.board.name).toBe('A computer');
    }
    const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]);
    await device.sayPreview(jpeg);
    for (const server of fleet.servers) {
      const response = await until('its preview', 5000, async () => {
        const answer = await server.request('GET', `/devices/${device.id}/preview.jpg`);
        return answer.status === 200 && answer;
      });
      expect(Buffer.from(await response.arrayBuffer())).toEqual(jpeg);
    }
    const withoutSession = await fetch(`${fleet.server(1).url}/api/v1/devices/${device.id}/preview.jpg?ticket=1.${'a'.repeat(32)}`);
    expect(withoutSession.status).toBe(401);
    device.leave();
    for (const server of fleet.servers) {
      const tookMs = await timeUntil('shown as offline', 5000, async () => (await presenceAt(server, device.id)) === 'offline');
      console.info(`offline at a server after its connection ended elsewhere: ${tookMs} ms`);
    }
  });

  test('what one server says of a device that just joined is not lost at another that has not heard of it', async () => {
    const model = await fleet.join(fleet.server(0), 'told of');
    await model.connect(fleet.server(0).mqttPort);
    await until('shown by another', 5000, async () => (await presenceAt(fleet.server(1), model.id)) === 'online');
    const store = await openStore({ kind: 'postgresql', url: await fleet.cluster.url('public') });
    onTestFinished(() => store.close());
    const { database } = store;
    const device = await findDevice(database, model.id);
    const said = await database
      .selectFrom('liveDevices')
      .select('document')
      .where('deviceId', '=', model.id)
      .where('part', '=', 'agent')
      .executeTakeFirstOrThrow();
    if (device === undefined) throw new Error('expected the device in the store');
    // Another server writes both, and its word that a device has joined is still under way.
    const id = 'not-told-of';
    await insertDevice(database, { ...device, id });
    await sayAlive(database, 'another', { url: 'http://another.example', rtmpPort: 1935 }, { kind: 'unknown', detail: '' });
    onTestFinished(() => removeServer(database, 'another'));
    await claimLive(database, [{ ...said, deviceId: id, part: 'agent', serverId: 'another', version: 1 }]);
    for (const server of fleet.servers) await until('shown', 5000, async () => (await presenceAt(server, id)) === 'online');
    expect((await fleet.server(0).request('DELETE', `/devices/${id}`)).status).toBe(204);
  });

  test('how often a connection was lost is counted over all of them, and each says that it comes and goes', async () => {
    const device = await fleet.join(fleet.server(0), 'restless');
    const eachShows = (state: string) =>
      until(`shown as ${state} by each`, 5000, async () => {
        const shown = await Promise.all(fleet.servers.map((server) => presenceAt(server, device.id)));
        return shown.every((one) => one === state);
      });
    const eachSays = () => Promise.all(fleet.servers.map(async (server) => (await deviceAt(server, device.id)).conditions));
    for (let time = 0; time < lossPolicy.least; time += 1) {
      if (time > 0) expect(await eachSays()).toEqual([[], [], []]);
      await until('it is let in', 5000, () => device.connect(fleet.server(time % 3).mqttPort).then(() => true));
      await eachShows('online');
      device.leave();
      await eachShows('offline');
    }
    const unstable = [{ code: 'connection-unstable', detail: expect.stringContaining('lost 5 times') }];
    await until('said by each', 5000, async () => (await eachSays()).every((said) => said.length === 1));
    expect(await eachSays()).toMatchObject([unstable, unstable, unstable]);
  });

  test('a stream that one relay receives is played at each of them', async () => {
    const device = await fleet.join(fleet.server(0), 'watched');
    await until('it is let in', 5000, () => device.connect(fleet.server(2).mqttPort).then(() => true));
    const key = await until('its stream key', 5000, () => device.lastDesired?.relay?.streamKey ?? false);
    const receiving = fleet.server(1);
    const publisher = publish(`rtmp://127.0.0.1:${receiving.rtmpPort}/live/${key}`);
    onTestFinished(() => publisher.end());
    for (const server of fleet.servers) {
      await until('live', 15_000, async () => (await deviceAt(server, device.id)).relay !== null);
      const { rtmp, hls } = await server.json<Playback>('GET', `/devices/${device.id}/playback`);
      expect(new URL(rtmp).port).toBe(String(receiving.rtmpPort));
      expect(new URL(hls).origin).toBe(server.url);
      const playlist = await until('a playlist', 15_000, async () => {
        const answer = await fetch(hls);
        return answer.status === 200 && answer.text();
      });
      const fragment = /^\d+\.ts$/m.exec(playlist)?.[0] ?? 'none';
      const media = Buffer.from(await (await fetch(new URL(fragment, hls))).arrayBuffer());
      expect([media[0], media.length % 188]).toEqual([0x47, 0]);
      expect((await fetch(hls.replace(/hls\/[^/]+/, `hls/1.${'a'.repeat(32)}`))).status).toBe(403);
    }
    const { hls } = await fleet.server(0).json<Playback>('GET', `/devices/${device.id}/playback`);
    // Viewers are counted now and then, so this one goes on watching until it was seen.
    await until('a viewer', 15_000, async () => {
      await (await fetch(hls)).arrayBuffer();
      return ((await deviceAt(receiving, device.id)).relay?.viewers ?? 0) > 0;
    });
    await publisher.end();
    await until('no picture any more', 15_000, async () => (await fetch(hls)).status === 404);
  });

  test('a relay that is down at one of them is one alert, and each says so of the devices that stream there', async () => {
    const broken = fleet.server(1);
    const device = await fleet.join(fleet.server(0), 'streams to the second');
    await until('it is let in', 5000, () => device.connect(fleet.server(2).mqttPort).then(() => true));
    const key = await until('its stream key', 5000, () => device.lastDesired?.relay?.streamKey ?? false);
    const publisher = publish(`rtmp://127.0.0.1:${broken.rtmpPort}/live/${key}`);
    onTestFinished(() => publisher.end());
    for (const server of fleet.servers) await until('live', 15_000, async () => (await deviceAt(server, device.id)).relay !== null);
    const mend = await fleet.breakRelay(broken);
    const title = `The relay of ${broken.host} is down`;
    for (const server of fleet.servers) {
      const shown = await until('what is wrong', 10_000, async () => {
        const detail = await deviceAt(server, device.id);
        return detail.conditions.some(({ code }) => code === 'relay-down') && detail;
      });
      expect(shown.stream).toMatchObject({ kind: 'not-arriving', detail: expect.stringContaining(title) });
    }
    const alerts = async () => (await fleet.server(0).json<AlertList>('GET', '/alerts?resolved=false')).alerts;
    const open = await until('an alert', 15_000, async () => {
      const list = await alerts();
      return list.some((alert) => alert.title === title) && list;
    });
    expect(open.map((alert) => alert.title)).toEqual([title]);
    await mend();
    await until('it is over', 30_000, async () => !(await alerts()).some((alert) => alert.title === title));
    for (const server of fleet.servers)
      expect((await deviceAt(server, device.id)).conditions.map(({ code }) => code)).not.toContain('relay-down');
  });

  test('a command that is asked for at one reaches it through another, once', async () => {
    const device = await fleet.join(fleet.server(0), 'obeys');
    await until('it is let in', 5000, () => device.connect(fleet.server(2).mqttPort).then(() => true));
    const asked = await fleet.server(0).json<CommandStatus>('POST', `/devices/${device.id}/commands`, { kind: 'restart-pipeline' });
    const tookMs = await timeUntil('done', 5000, async () => {
      const { state } = await fleet.server(1).json<CommandStatus>('GET', `/devices/${device.id}/commands/${asked.id}`);
      return state === 'done';
    });
    console.info(`a command through another server, there and back: ${tookMs} ms`);
    expect(device.done).toEqual([asked.id]);
  });

  test('how far a command is reaches the pages at each of them', async () => {
    const device = await fleet.join(fleet.server(0), 'takes its time');
    device.isSlow = true;
    await until('it is let in', 5000, () => device.connect(fleet.server(2).mqttPort).then(() => true));
    const { id } = await fleet.server(0).json<CommandStatus>('POST', `/devices/${device.id}/commands`, { kind: 'run-doctor' });
    await until('it has it', 10_000, () => device.arrivals.has(id));
    const pages = await Promise.all(fleet.servers.map((server) => openCommandPage(server, device.id, id)));
    for (const page of pages) onTestFinished(() => page.close());
    for (const [elapsedMs, detail] of [
      [1000, ''],
      [6000, '4 checks made'],
    ] as const) {
      await device.say('command-progress', { id, elapsedMs, detail });
      for (const page of pages) await until('how far it is', 10_000, () => page.shown()?.progress?.detail === detail);
    }
    await device.say('command-result', { id, outcome: 'done', detail: '9 pass' });
    for (const page of pages) await until('done', 10_000, () => page.shown()?.state === 'done');
  });

  test('tags and a group that many devices are given are shown at each of them at once', async () => {
    const { id } = await fleet.join(fleet.server(0), 'one of many');
    const client = new Client({ connectionString: await fleet.cluster.url('public') });
    await client.connect();
    // Nobody may join so often in a minute.
    for (const [table, key] of [
      ['devices', 'id'],
      ['deviceStates', 'deviceId'],
    ]) {
      await client.query(
        `insert into "${table}" select (jsonb_populate_record(d, jsonb_build_object('${key}', $1::text || '-' || n))).*
         from "${table}" d, generate_series(1, 25) n where d."${key}" = $1`,
        [id],
      );
    }
    onTestFinished(async () => {
      await client.query('delete from "devices" where "id" like $1', [`${id}-%`]);
      await client.end();
    });
    const deviceIds = Array.from({ length: 25 }, (_, index) => `${id}-${index + 1}`);
    const others = fleet.servers.slice(1);
    const tagged = async (server: OneServer) => (await server.json<DeviceList>('GET', '/devices?tag=bulk')).total;
    for (const [change, expected] of [
      [{ add: ['bulk'], remove: [] }, 25],
      [{ add: [], remove: ['bulk'] }, 0],
    ] as const) {
      await fleet.server(0).json<TaggingResult>('POST', '/devices/tagging', { deviceIds, ...change });
      const tookMs = await timeUntil('shown', 2500, async () => {
        const counts = await Promise.all(others.map(tagged));
        return counts.every((count) => count === expected);
      });
      console.info(`tags of 25 devices at the other servers: ${tookMs} ms`);
    }
    for (const [group, expected] of [
      ['bulk', 25],
      [null, 0],
    ] as const) {
      await fleet.server(0).json<GroupingResult>('POST', '/devices/grouping', { deviceIds, group });
      const tookMs = await timeUntil('shown', 2500, async () => {
        const lists = await Promise.all(others.map((server) => server.json<DeviceList>('GET', '/devices?group=bulk')));
        return lists.every(({ total }) => total === expected);
      });
      console.info(`the group of 25 devices at the other servers: ${tookMs} ms`);
    }
    await fleet.server(0).json<GroupingResult>('POST', '/devices/grouping', { deviceIds, group: 'bulk' });
    const at = (ms: number) => new Date(Date.now() + ms).toISOString();
    const { id: windowId } = await fleet.server(0).json<MaintenanceWindow>('POST', '/maintenance-windows', {
      ...{ scope: { kind: 'group', name: 'bulk' }, reason: 'tried', schedule: { kind: 'once', from: at(-60_000), to: at(600_000) } },
    });
    const listed = () => Promise.all(others.map((server) => server.json<DeviceList>('GET', '/devices?search=bulk&limit=100')));
    const isAt = (group: string, { devices }: DeviceList) => devices.length === 25 && devices.every((device) => device.group === group);
    const isCovered = ({ devices }: DeviceList) => devices.every(({ maintenance }) => maintenance !== null);
    await until('the window at each', 15_000, async () => (await listed()).every((list) => isAt('bulk', list) && isCovered(list)));
    await fleet.server(0).json<RenamedGroup>('PATCH', '/groups/bulk', { name: 'bulk-2' });
    const renamedMs = await timeUntil('renamed', 2500, async () =>
      (await listed()).every((list) => isAt('bulk-2', list) && isCovered(list)),
    );
    console.info(`a renamed group of 25 devices at the other servers: ${renamedMs} ms`);
    expect((await fleet.server(0).request('DELETE', `/maintenance-windows/${windowId}`)).status).toBe(204);
  });

  test('the log of a device is read at each of them, and told there as it comes', async () => {
    const device = await fleet.join(fleet.server(0), 'talks');
    await until('it is let in', 5000, () => device.connect(fleet.server(1).mqttPort).then(() => true));
    const ending = new AbortController();
    onTestFinished(() => ending.abort());
    const heard = await Promise.all(
      fleet.servers.map(async (server) => {
        await until('shown as online', 5000, async () => (await presenceAt(server, device.id)) === 'online');
        const response = await server.request('GET', `/devices/${device.id}/logs/live`, undefined, ending.signal);
        expect(response.status).toBe(200);
        let text = '';
        const read = async (): Promise<void> => {
          for await (const chunk of response.body ?? []) text += new TextDecoder().decode(chunk as Uint8Array);
        };
        void read().catch(() => undefined);
        return () => text;
      }),
    );
    await device.say('log', { lines: ['a line of its log'] });
    for (const text of heard) await until('the line', 5000, () => text().includes('a line of its log'));
    for (const server of fleet.servers) {
      const { lines } = await server.json<DeviceLog>('GET', `/devices/${device.id}/logs`);
      expect(lines).toEqual([{ number: 1, text: 'a line of its log' }]);
      const path = `${server.url}/api/v1/devices/${device.id}/logs`;
      for (const what of ['', '/live']) expect((await fetch(`${path}${what}?ticket=1.${'a'.repeat(32)}`)).status).toBe(401);
    }
  });

  test('a setting that is made at one is in force on devices of the others', async () => {
    const one = await fleet.join(fleet.server(0), 'a', 'hall');
    const two = await fleet.join(fleet.server(1), 'b', 'hall');
    await until('let in', 5000, () => one.connect(fleet.server(1).mqttPort).then(() => true));
    await until('let in', 5000, () => two.connect(fleet.server(2).mqttPort).then(() => true));
    expect((await fleet.server(0).request('PATCH', '/groups/hall/settings', { AV_VIDEO_BITRATE: 1234 })).status).toBe(200);
    for (const device of [one, two]) {
      await until('the new bitrate', 5000, () => device.lastDesired?.levels.group['AV_VIDEO_BITRATE'] === 1234);
      const settings = await until('applied', 5000, async () => {
        const answer = await fleet.server(0).json<DeviceSettings>('GET', `/devices/${device.id}/settings`);
        return answer.state === 'applied' && answer;
      });
      expect(settings.state).toBe('applied');
      expect(device.revisions).toEqual([...device.revisions].toSorted((a, b) => a - b));
    }
  });

  test('a device that goes over to another server stays online, and the death of its old connection is ignored', async () => {
    const device = await fleet.join(fleet.server(0), 'moves');
    await until('let in', 5000, () => device.connect(fleet.server(0).mqttPort).then(() => true));
    await until('online everywhere', 5000, async () => (await presenceAt(fleet.server(2), device.id)) === 'online');
    await until('let in there', 5000, () => device.connect(fleet.server(1).mqttPort).then(() => true));
    await until('online at the new one', 5000, async () => (await presenceAt(fleet.server(1), device.id)) === 'online');
    const history = async () =>
      (await fleet.server(2).json<{ entries: { kind: string }[] }>('GET', `/devices/${device.id}/history`)).entries.map(({ kind }) => kind);
    for (const server of fleet.servers) {
      await until('online at all', 5000, async () => (await presenceAt(server, device.id)) === 'online');
    }
    expect((await history()).filter((kind) => kind === 'device-offline').length).toBeLessThanOrEqual(1);
  });

  test('one that is removed at one server is out everywhere', async () => {
    const device = await fleet.join(fleet.server(0), 'leaves');
    await until('let in', 5000, () => device.connect(fleet.server(1).mqttPort).then(() => true));
    expect((await fleet.server(2).request('DELETE', `/devices/${device.id}`)).status).toBe(204);
    await until('its connection is cut', 5000, () => !device.isConnected);
    for (const server of fleet.servers) {
      await until('not known', 5000, async () => (await server.request('GET', `/devices/${device.id}`)).status === 404);
    }
    await expect(device.connect(fleet.server(0).mqttPort)).rejects.toThrow();
  });

  test('one that is blocked at one server is cut off at the others, its stream too, and let in again at any', async () => {
    const device = await fleet.join(fleet.server(0), 'shut out');
    await until('let in', 5000, () => device.connect(fleet.server(1).mqttPort).then(() => true));
    const key = await until('its stream key', 5000, () => device.lastDesired?.relay?.streamKey ?? false);
    const publisher = publish(`rtmp://127.0.0.1:${fleet.server(2).rtmpPort}/live/${key}`);
    onTestFinished(() => publisher.end());
    await until('live', 15_000, async () => (await deviceAt(fleet.server(0), device.id)).relay !== null);
    const decide = (server: OneServer, decision: string) => server.request('POST', `/devices/${device.id}/access`, { decision });
    expect((await decide(fleet.server(0), 'block')).status).toBe(204);
    await until('its connection is cut', 5000, () => !device.isConnected);
    for (const server of fleet.servers) {
      await until('nothing is received', 5000, async () => {
        const { relay, blockedSince } = await deviceAt(server, device.id);
        return relay === null && blockedSince !== null;
      });
      await expect(device.connect(server.mqttPort)).rejects.toThrow();
    }
    expect((await decide(fleet.server(2), 'let-in')).status).toBe(204);
    await until('let in again', 5000, () => device.connect(fleet.server(1).mqttPort).then(() => true));
  });

  test('somebody who signed in at one is signed in at all; a change is told at all', async () => {
    const response = await fetch(`${fleet.server(0).url}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'admin', password: 'a password for tests' }),
    });
    const cookie = response.headers.getSetCookie()[0]?.split(';', 1)[0] ?? '';
    const listening = new AbortController();
    const changes = await fetch(`${fleet.server(1).url}/api/v1/changes`, { headers: { cookie }, signal: listening.signal });
    expect(changes.status).toBe(200);
    const reader = changes.body?.getReader();
    await fleet.server(2).request('PATCH', '/fleet/settings', { AV_KEYFRAME_INTERVAL: 3 });
    let heard = '';
    await until('told', 5000, async () => {
      heard += new TextDecoder().decode((await reader?.read())?.value);
      return heard.includes('fleet-settings');
    });
    listening.abort();
  });
});

describe('one of them is killed', { timeout: 90_000 }, () => {
  test('its devices are unknown, then online at the others; what was asked for meanwhile is done once; another one leads', async () => {
    const leader = await until('a leader', 10_000, () => leaders(fleet.servers)[0]);
    const others = fleet.servers.filter((server) => server !== leader);
    const [first, second] = others as [OneServer, OneServer];
    const devices = await Promise.all(Array.from({ length: 6 }, (_, index) => fleet.join(first, `left-${index}`)));
    for (const device of devices) await until('let in', 5000, () => device.connect(leader.mqttPort).then(() => true));
    await until('shown at another', 5000, async () => (await presenceAt(second, devices[5]?.id ?? '')) === 'online');

    await fleet.kill(leader);
    const commands = await Promise.all(
      devices.map((device) => first.json<CommandStatus>('POST', `/devices/${device.id}/commands`, { kind: 'restart-pipeline' })),
    );
    await first.request('PATCH', '/fleet/settings', { AV_VIDEO_BITRATE: 2345 });
    const unknownMs = await timeUntil(
      'unknown, not lost',
      15_000,
      async () => (await presenceAt(second, devices[0]?.id ?? '')) === 'unknown',
    );
    console.info(`devices of a killed server are shown as unknown after ${unknownMs} ms`);
    await until('another leader', 15_000, () => leaders(others).length === 1);

    for (const [index, device] of devices.entries()) await device.connect((index % 2 === 0 ? first : second).mqttPort);
    for (const device of devices) {
      const id = commands[devices.indexOf(device)]?.id ?? '';
      await until('its command done', 10_000, async () => {
        const { state } = await second.json<CommandStatus>('GET', `/devices/${device.id}/commands/${id}`);
        return state === 'done';
      });
      expect(device.done).toEqual([id]);
      await until('the setting', 10_000, () => device.lastDesired?.levels.fleet['AV_VIDEO_BITRATE'] === 2345);
      await until('online', 5000, async () => (await presenceAt(first, device.id)) === 'online');
    }
  });
});

test('what another server has heard is taken over, though the device was heard here in the same moment', async () => {
  const store = await openStore({ kind: 'postgresql', url: await fleet.cluster.url('exchange') });
  const applied: string[] = [];
  const exchangeOf = (id: string, documentOf: (deviceId: string) => string) => {
    const relays = new FleetRelays({ serverId: id, url: null, clock: systemClock, own: () => null });
    const register = {
      documentOf,
      isHere: () => true,
      apply: (deviceId: string, _part: string, serverId: string) => void applied.push(`${id}: ${deviceId} as ${serverId} heard it`),
      forget: () => undefined,
    };
    const place = { url: `http://${id}.example`, rtmpPort: 1935 };
    const servers = aloneOnDatabase(id);
    return new LiveExchange({
      database: store.database,
      clock: manualClock(),
      log: pino({ enabled: false }),
      servers,
      register,
      relays,
      place,
      lookFor: async () => undefined,
    });
  };
  const one = exchangeOf('one', () => '{}');
  const other: LiveExchange = exchangeOf('other', (deviceId) => {
    // Between what this server writes and what it reads.
    if (deviceId === 'second') other.note('first', 'heard', true);
    return '{}';
  });
  onTestFinished(async () => {
    for (const exchange of [one, other]) await exchange.stop();
    await store.close();
  });
  await one.start();
  await other.start();
  one.note('first', 'heard', true);
  const written = () => store.database.selectFrom('liveDevices').select('deviceId').execute();
  await until('the first server’s word', 5000, async () => (await written()).length === 1);
  other.note('second', 'heard', true);
  await until('the other server’s two', 5000, async () => (await written()).length === 3);
  await until('the word of the first', 5000, () => applied.includes('other: first as one heard it'));
});

test('a server whose clock is set back goes on saying that it lives, and sweeping away those that died', async () => {
  const store = await openStore({ kind: 'postgresql', url: await fleet.cluster.url('clock-set-back') });
  const clock = manualClock();
  const exchange = new LiveExchange({
    database: store.database,
    clock,
    log: pino({ enabled: false }),
    servers: aloneOnDatabase('one'),
    register: { documentOf: () => null, isHere: () => true, apply: () => undefined, forget: () => undefined },
    relays: new FleetRelays({ serverId: 'one', url: null, clock, own: () => null }),
    place: { url: 'http://one.example', rtmpPort: 1935 },
    lookFor: async () => undefined,
  });
  onTestFinished(async () => {
    await exchange.stop();
    await store.close();
  });
  await exchange.start();
  const long = { heartbeatAtMs: 0 };
  await store.database.updateTable('servers').set(long).execute();
  const former = { id: 'former', url: 'http://one.example', rtmpPort: 1935, relayKind: 'unknown', relayDetail: '', ...long } as const;
  await store.database.insertInto('servers').values(former).execute();
  clock.set(-3_600_000);
  await clock.advance(10_000);
  const ids = async (livedAfterMs: number) => {
    const rows = await store.database.selectFrom('servers').select('id').where('heartbeatAtMs', '>=', livedAfterMs).execute();
    return rows.map(({ id }) => id);
  };
  await until('a heartbeat', 5000, async () => (await ids(1)).includes('one'));
  await until('the former one swept away', 5000, async () => (await ids(0)).length === 1);
});

describe('the database is away for a while', { timeout: 90_000 }, () => {
  test('connections stay, requests get a clear 503, and everything goes on after it', async () => {
    const [first, second] = fleet.servers.filter(({ running }) => running.child.signalCode === null) as [OneServer, OneServer];
    const device = await fleet.join(first, 'patient');
    await until('let in', 5000, () => device.connect(second.mqttPort).then(() => true));
    // What a device says while nothing can be stored costs its connection, so that it says it again: here it says nothing then.
    await until('all that it had to say is stored', 5000, async () => {
      const { settings } = await deviceAt(first, device.id);
      return settings.kind === 'applied';
    });
    await fleet.cluster.kill();
    const refused = await until('a 503', 10_000, async () => {
      const response = await first.request('GET', '/devices');
      return response.status === 503 && response;
    });
    expect(await refused.json()).toMatchObject({ code: 'store-unavailable' });
    expect(device.isConnected).toBe(true);
    await fleet.cluster.start();
    const asked = await until('accepted', 15_000, async () => {
      const response = await first.request('POST', `/devices/${device.id}/commands`, { kind: 'restart-pipeline' });
      return response.status === 202 && ((await response.json()) as CommandStatus);
    });
    await until('done', 15_000, () => device.done.includes(asked.id));
    await until('a leader again', 15_000, async () => {
      const { rows } = await leadership();
      return rows === 1;
    });
  });
});

// The last one: nothing is left after it.
describe('one server is upgraded', { timeout: 60_000 }, () => {
  test('the others notice that the schema is newer than they are, end with a clear line, and do not start again', async () => {
    const living = fleet.servers.filter(({ running: { child } }) => child.signalCode === null && child.exitCode === null);
    expect(living.length).toBeGreaterThan(1);
    const client = new Client({ connectionString: await fleet.cluster.url('public') });
    await client.connect();
    await client.query('update "schemaVersion" set "version" = "version" + 1');
    await client.end();
    for (const { running } of living) {
      expect(await running.exit).toEqual({ code: exitCodes.store, signal: null });
      expect(running.output()).toMatch(
        /^The fleet server ends: Expected a store of schema version \d+ or older, got version \d+: a newer fleet server has written it\./m,
      );
    }
    await expect(fleet.again(living[0] as OneServer)).rejects.toThrow('The fleet server cannot start: Expected a store of schema version');
  });
});

/** How many sessions hold the leader's lock. */
async function leadership(): Promise<{ readonly rows: number }> {
  const { Client } = await import('pg');
  const client = new Client({ connectionString: await fleet.cluster.url('public') });
  await client.connect();
  const { rows } = await client.query("select count(*)::int as count from pg_locks where locktype = 'advisory' and granted");
  await client.end();
  return { rows: (rows[0] as { count: number }).count };
}
