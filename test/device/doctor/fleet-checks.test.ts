import { createServer, type RequestListener } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { checkFleet } from '#device/doctor/fleet-checks.ts';
import { requestEnrolment } from '#device/uplink/enrolment-request.ts';
import { password, request, signIn } from '../../fleet-server/process/writes.ts';
import { environmentFor, startServer } from '../../fleet-server/running-server.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const joinedAt = (fleetUrl: string) => ({
  url: fleetUrl,
  credentials: { fleetUrl, deviceId: 'pi-1', credential: 'a credential that no server knows' },
  hasToken: false,
});

async function serverThat(answers: RequestListener): Promise<string> {
  const server = createServer(answers);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

test('a real fleet server: HTTP, version, MQTT, and whether it knows the device', async () => {
  const server = startServer(await environmentFor(await temporaryDirectory(), { FLEET_ADMIN_PASSWORD: password }));
  onTestFinished(async () => {
    server.child.kill('SIGTERM');
    await server.exit;
  });
  const { url } = await server.ready;
  const cookie = await signIn(url);
  const { token } = (await (await request(url, cookie, 'POST', '/join-tokens', {})).json()) as { token: string };
  const enrolment = await requestEnrolment(url, { joinToken: token, name: 'pi' }, new AbortController().signal);
  if (enrolment.kind !== 'joined') throw new Error(enrolment.reason);
  const { deviceId, credential } = enrolment.answer;
  const subject = { url, credentials: { fleetUrl: url, deviceId, credential }, hasToken: false };

  const checks = await checkFleet(subject);
  expect(checks.map(({ subject: of, state }) => [of, state])).toEqual([
    ['fleet server', 'pass'],
    ['membership', 'pass'],
    ['mqtt', 'pass'],
  ]);
  expect(checks[0]?.detail).toMatch(/version 1 of its API/);
  const renewed = { ...subject.credentials, credential: 'one that the server has forgotten', former: credential };
  expect((await checkFleet({ ...subject, credentials: renewed }))[1]).toMatchObject({ subject: 'membership', state: 'pass' });
  const proven = { ...subject.credentials, former: 'one that the server has forgotten' };
  expect((await checkFleet({ ...subject, credentials: proven }))[1]).toMatchObject({ subject: 'membership', state: 'pass' });

  const refused = { subject: 'membership', state: 'fail', detail: expect.stringContaining('does not let this device in') };
  await request(url, cookie, 'POST', `/devices/${deviceId}/access`, { decision: 'block' });
  expect((await checkFleet(subject))[1]).toMatchObject(refused);
  await request(url, cookie, 'DELETE', `/devices/${deviceId}`);
  expect(await checkFleet(subject)).toMatchObject([{ state: 'pass' }, refused, { subject: 'mqtt', state: 'pass' }]);
});

test('something else at that address, and a proxy that passes no WebSockets', async () => {
  const other = await serverThat((_request, response) => response.end('<h1>It works!</h1>'));
  expect((await checkFleet(joinedAt(other)))[0]).toMatchObject({
    state: 'fail',
    detail: expect.stringContaining('not as a fleet server'),
  });
  const proxy = await serverThat((_request, response) => response.end('{"status":"ok"}'));
  const checks = await checkFleet(joinedAt(proxy));
  expect(checks[1]).toMatchObject({ subject: 'membership', state: 'warn', detail: expect.stringContaining('the address of a broker') });
  expect(checks.at(-1)).toMatchObject({ subject: 'mqtt', state: 'fail' });
});

test('nobody there; not joined yet; no way to join', async () => {
  const url = 'http://127.0.0.1:1';
  expect(await checkFleet({ url, credentials: null, hasToken: true })).toMatchObject([
    { state: 'fail', detail: expect.stringContaining('connection refused') },
    { subject: 'membership', state: 'warn' },
  ]);
  expect((await checkFleet({ url, credentials: null, hasToken: false }))[1]).toMatchObject({ state: 'fail' });
  const loss = 'credentials.json in the state directory cannot be read';
  expect((await checkFleet({ url, credentials: null, hasToken: false, loss }))[1]).toMatchObject({
    state: 'fail',
    detail: expect.stringContaining(loss),
  });
});
