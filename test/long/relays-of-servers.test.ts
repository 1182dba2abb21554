/** Relays and servers that are away for longer than the watchdog waits, and than a server may be silent. */
import { expect, onTestFinished, test } from 'vitest';
import type { AlertList } from '#protocol/model/alert.ts';
import type { DeviceDetail } from '#protocol/model/device.ts';
import type { History } from '#protocol/model/history.ts';
import { bodies } from '../fleet-server/api-under-test.ts';
import { publish } from '../fleet-server/relay/publisher.ts';
import { type OneServer, ServersUnderTest } from '../fleet-server/servers/servers-under-test.ts';
import { timeUntil, until } from '../until.ts';

test('nobody restarts a device because of a relay or a server that is away, and each is one alert that ends', async () => {
  const fleet = await ServersUnderTest.start(3);
  onTestFinished(() => fleet.remove());
  const [first, second, third] = [fleet.server(0), fleet.server(1), fleet.server(2)];
  const deviceAt = (server: OneServer, id: string) => server.json<DeviceDetail>('GET', `/devices/${id}`);
  const codesAt = async (server: OneServer, id: string) => (await deviceAt(server, id)).conditions.map(({ code }) => code);
  const openAt = async (server: OneServer) =>
    (await server.json<AlertList>('GET', '/alerts?resolved=false')).alerts.map(({ title }) => title);
  const restarts = async (id: string) => {
    const { entries } = await first.json<History>('GET', `/devices/${id}/history`);
    return entries.filter(({ origin }) => origin === 'watchdog').map(({ kind }) => kind);
  };
  // One streams to the second server, one to the third and is received no more after a while: that is the watchdog's business.
  const affected = await fleet.join(first, 'affected');
  const failing = await fleet.join(first, 'failing');
  for (const device of [affected, failing]) await until('let in', 5000, () => device.connect(third.mqttPort).then(() => true));
  const talking = setInterval(() => {
    for (const device of [affected, failing]) if (device.isConnected) void device.say('health', bodies.health(30)).catch(() => undefined);
  }, 5000);
  onTestFinished(() => clearInterval(talking));
  const publishing = [
    { device: affected, server: second },
    { device: failing, server: third },
  ].map(async ({ device, server }) => {
    const key = await until('its stream key', 5000, () => device.lastDesired?.relay?.streamKey ?? false);
    const publisher = publish(`rtmp://127.0.0.1:${server.rtmpPort}/live/${key}`);
    onTestFinished(() => publisher.end());
    await until('received', 15_000, async () => (await deviceAt(first, device.id)).relay !== null);
    return publisher;
  });
  const [, ofFailing] = await Promise.all(publishing);

  const mend = await fleet.breakRelay(second);
  await ofFailing?.end();
  const title = `The relay of ${second.host} is down`;
  await until('the alert', 20_000, async () => (await openAt(first)).includes(title));
  await until('the watchdog', 60_000, async () => (await restarts(failing.id)).includes('watchdog-restart-pipeline'));
  expect(await restarts(affected.id)).toEqual([]);
  expect(await codesAt(first, affected.id)).toContain('relay-down');
  expect(await codesAt(first, failing.id)).not.toContain('relay-down');
  expect((await openAt(third)).filter((one) => one === title)).toHaveLength(1);
  await mend();
  console.info(`over after ${await timeUntil('it is over', 60_000, async () => !(await openAt(first)).includes(title))} ms`);
  expect(await codesAt(first, affected.id)).not.toContain('relay-down');

  // The whole server: what was received there is not known any more.
  const key = affected.lastDesired?.relay?.streamKey ?? '';
  const again = publish(`rtmp://127.0.0.1:${second.rtmpPort}/live/${key}`);
  onTestFinished(() => again.end());
  await until('received again', 15_000, async () => (await deviceAt(first, affected.id)).relay !== null);
  const before = (await restarts(failing.id)).length;
  await fleet.kill(second);
  const gone = `The fleet server ${second.host} is gone`;
  console.info(`missed after ${await timeUntil('it is missed', 60_000, async () => (await openAt(first)).includes(gone))} ms`);
  const shown = await deviceAt(third, affected.id);
  expect(shown.stream.detail).toContain(second.host);
  await until('the watchdog', 120_000, async () => (await restarts(failing.id)).length > before);
  expect(await restarts(affected.id)).toEqual([]);
  const servers = await fleet.again(second);
  await until('received there', 30_000, async () => (await deviceAt(servers, affected.id)).relay !== null);
  await until('it is over', 60_000, async () => !(await openAt(first)).includes(gone));
  expect(await codesAt(first, affected.id)).not.toContain('relay-down');
});
