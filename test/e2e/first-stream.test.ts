/** The main job, from an empty folder to a picture that a fleet server watches, steers and restarts. Nothing is made up. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { processesWith, processOf } from '../processes.ts';
import { timeUntil, until } from '../until.ts';
import { packets, probe, record, steps, videoBitrateKbps } from './far-side.ts';
import { startLiar } from './liar.ts';
import { connectAs, publishAs, subscribeAs } from './mqtt-client.ts';
import { type RunningSystem, relayProcess, remainingProcesses, startSystem } from './running-system.ts';

let system: RunningSystem;
let deviceId: string;

function report(what: string, milliseconds: number): void {
  process.stdout.write(`  ${what}: ${(milliseconds / 1000).toFixed(2)} s\n`);
}

const live = async () => (await system.api.device(deviceId)).stream.kind === 'live';

beforeAll(async () => {
  system = await startSystem();
});

afterAll(async () => {
  if (system === undefined) return;
  const isStopped = await system.stop();
  const printed = system.output();
  const left = remainingProcesses(system.folder, printed);
  await system.remove();
  expect(left, 'processes after Ctrl-C').toEqual([]);
  expect(isStopped, printed).toBe(true);
});

describe('the whole system starts', () => {
  test('says what is on air, where to look and how to sign in', () => {
    expect(system.output()).toContain(system.url);
    expect(system.output()).toMatch(/On air\s+.*test picture/i);
    expect(system.output()).toMatch(/Stream\s+rtmp:\/\//);
  });

  test('the device joins, and within 10 s the relay sends H.264 1280x720 at 30 frames a second with AAC', async () => {
    const { devices } = await until('one device', 10_000, async () => {
      const list = await system.api.devices();
      return list.devices.length === 1 && list;
    });
    deviceId = devices[0]?.id ?? '';
    const startedAt = performance.now();
    const seen = await until('the stream at the relay', 10_000, async () => probe((await system.api.playback(deviceId)).rtmp));
    report('first probe of the relay', performance.now() - startedAt);
    expect(seen).toEqual({ video: { codec: 'h264', width: 1280, height: 720, framesPerSecond: 30 }, audioCodec: 'aac' });
    await until('the API to say live', 5000, live);
  });

  test('the address that npm start printed opens as it stands', async () => {
    const address = /Stream\s+(rtmp:\S+)/.exec(system.output())?.[1] ?? '';
    expect((await probe(address)).video?.width).toBe(1280);
  });

  test('a player without a ticket gets nothing', async () => {
    const { rtmp } = await system.api.playback(deviceId);
    await expect(probe(rtmp.replace(/\?.*/, ''))).rejects.toThrow();
  });
});

describe('settings', () => {
  test('another size is at the relay within 5 s, and the API says applied and from which level', async () => {
    await system.api.patchSettings(deviceId, { AV_VIDEO_WIDTH: 640, AV_VIDEO_HEIGHT: 360 });
    const changed = await timeUntil('640x360 at the relay', 5000, async () => {
      const { video } = await probe((await system.api.playback(deviceId)).rtmp);
      return video?.width === 640 && video.height === 360;
    });
    report('another size at the relay', changed);
    const settings = await until('applied', 5000, async () => {
      const answer = await system.api.settings(deviceId);
      return answer.state === 'applied' && answer;
    });
    expect(settings.settings.find(({ key }) => key === 'AV_VIDEO_WIDTH')).toMatchObject({
      state: 'applied',
      desired: { kind: 'plain', value: 640 },
      desiredLevel: 'device',
      inForce: { kind: 'plain', value: 640 },
      inForceLevel: 'device',
    });
    expect(settings.settings.find(({ key }) => key === 'AV_VIDEO_FRAMERATE')).toMatchObject({
      inForce: { value: 30 },
      inForceLevel: 'default',
    });
  });

  test('a change of size keeps the connection, and the timestamps grow', async () => {
    const before = await system.api.device(deviceId);
    const recording = await record((await system.api.playback(deviceId)).rtmp, join(system.folder, 'size.flv'));
    await system.api.patchSettings(deviceId, { AV_VIDEO_WIDTH: 1280, AV_VIDEO_HEIGHT: 720 });
    await until('1280 wide at the relay', 8000, async () => (await system.api.device(deviceId)).relay?.width === 1280);
    const all = await packets(await recording.finish());
    const after = await system.api.device(deviceId);
    expect(after.outputs[0]?.connections).toBe(before.outputs[0]?.connections);
    expect(steps(all, 'video').smallestS).toBeGreaterThan(0);
    expect(steps(all, 'video').largestS).toBeLessThan(2);
  });

  test('another bitrate comes without an interruption', async () => {
    // A relay that is slow for a moment on a busy machine would have the bitrate follow it, which is not what is looked at here.
    await system.api.patchSettings(deviceId, { AV_ADAPTIVE_BITRATE: false });
    await until('applied', 10_000, async () => (await system.api.settings(deviceId)).state === 'applied');
    const before = await system.api.device(deviceId);
    const recording = await record((await system.api.playback(deviceId)).rtmp, join(system.folder, 'bitrate.flv'));
    const receivedBefore = (await system.api.device(deviceId)).relay?.bytesReceived ?? 0;
    await until(
      'some of the old bitrate',
      10_000,
      async () => ((await system.api.device(deviceId)).relay?.bytesReceived ?? 0) - receivedBefore > 800_000,
    );
    await system.api.patchSettings(deviceId, { AV_VIDEO_BITRATE: 400 });
    await until('applied', 5000, async () => (await system.api.settings(deviceId)).state === 'applied');
    const receivedAfter = (await system.api.device(deviceId)).relay?.bytesReceived ?? 0;
    await until(
      'some of the new bitrate',
      20_000,
      async () => ((await system.api.device(deviceId)).relay?.bytesReceived ?? 0) - receivedAfter > 400_000,
    );
    const all = await packets(await recording.finish());
    const after = await system.api.device(deviceId);
    expect(after.outputs[0]?.connections, 'connections of the output').toBe(before.outputs[0]?.connections);
    expect(after.relay?.receivingSince).toBe(before.relay?.receivingSince);
    const endS = all.at(-1)?.timeS ?? 0;
    const beginS = all[0]?.timeS ?? 0;
    const newKbps = videoBitrateKbps(all, endS - 3, endS);
    expect(newKbps).toBeLessThan(500);
    // A machine that is too busy for all pictures gives fewer of them, and so less than was asked for.
    expect(newKbps).toBeLessThan(videoBitrateKbps(all, beginS, beginS + 3) * 0.8);
    for (const stream of ['video', 'audio'] as const) {
      expect(steps(all, stream).smallestS, `${stream} steps`).toBeGreaterThan(0);
      expect(steps(all, stream).largestS, `${stream} steps`).toBeLessThan(0.15);
    }
  });

  test.for([
    ['an encoder parameter that does not exist', { AV_H264_ENCODER_PARAMS: 'no-such-parameter=1' }, 'no-such-parameter'],
    ['a camera that is not there', { AV_VIDEO_SOURCE: '/dev/video99' }, '/dev/video99'],
  ] as const)('%s is refused with a reason that names it, and the stream goes on', async ([, patch, named]) => {
    const before = await system.api.device(deviceId);
    await system.api.patchSettings(deviceId, patch);
    const refused = await until('refused', 10_000, async () => {
      const answer = await system.api.settings(deviceId);
      return answer.state === 'refused' && answer;
    });
    const key = Object.keys(patch)[0] ?? '';
    const setting = refused.settings.find((candidate) => candidate.key === key);
    expect(setting).toMatchObject({ state: 'refused' });
    expect(setting?.reason).toContain(named);
    const after = await system.api.device(deviceId);
    expect(after.stream.kind).toBe('live');
    expect(after.outputs[0]?.connections).toBe(before.outputs[0]?.connections);
    await system.api.patchSettings(deviceId, { [key]: null });
    await until('applied again', 10_000, async () => (await system.api.settings(deviceId)).state === 'applied');
  });

  test('wrong values are refused by the API, all of them at once', async () => {
    const response = await system.api.request('PATCH', `/devices/${deviceId}/settings`, {
      AV_VIDEO_WIDTH: 'wide',
      AV_VIDEO_FRAMERATE: 1000,
      AV_AUDIO_SRC: 'filesrc location=/etc/passwd',
      AV_NO_SUCH_SETTING: 1,
    });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    const body = (await response.json()) as { problems: readonly { key: string }[] };
    expect(body.problems.map(({ key }) => key).sort()).toEqual([
      'AV_AUDIO_SRC',
      'AV_NO_SUCH_SETTING',
      'AV_VIDEO_FRAMERATE',
      'AV_VIDEO_WIDTH',
    ]);
  });

  test('the stream key can be set and never read back', async () => {
    const secret = 'never-to-be-seen-again';
    await system.api.patchSettings(deviceId, { AV_STREAM_KEY: secret, AV_STREAM_URL: 'rtmp://127.0.0.1:1/live' });
    await until('the output to wait for the other address', 10_000, async () =>
      (await system.api.device(deviceId)).outputs.some(({ state, target }) => state.kind === 'waiting' && target.includes(':1/')),
    );
    const answers = await Promise.all(
      [`/devices/${deviceId}`, `/devices/${deviceId}/settings`, `/devices/${deviceId}/history`, '/devices'].map(async (path) =>
        (await system.api.request('GET', path)).text(),
      ),
    );
    expect(answers.join()).not.toContain(secret);
    expect(system.output()).not.toContain(secret);
    expect(processesWith(secret), 'processes with the key in their arguments or environment').toEqual([]);
    const backAt = Date.now();
    await system.api.patchSettings(deviceId, { AV_STREAM_KEY: null, AV_STREAM_URL: null });
    await until('the stream at the relay again', 15_000, async () => {
      const { relay } = await system.api.device(deviceId);
      return Date.parse(relay?.receivingSince ?? '') > backAt;
    });
  });
});

describe('kill -9', () => {
  async function backOnAir(killedAtMs: number, what: string): Promise<void> {
    await until(`the stream back after ${what}`, 20_000, async () => {
      const device = await system.api.device(deviceId);
      return device.stream.kind === 'live' && Date.parse(device.relay?.receivingSince ?? '') > killedAtMs;
    });
    report(`kill -9 of ${what}, stream back at the relay`, Date.now() - killedAtMs);
    expect((await probe((await system.api.playback(deviceId)).rtmp)).video).toMatchObject({ width: 1280, framesPerSecond: 30 });
  }

  test('of the media host: the stream comes back', async () => {
    const pid = Number(readFileSync(join(system.stateDirectory, 'media-host.pid'), 'utf8'));
    const killedAt = Date.now();
    process.kill(pid, 'SIGKILL');
    await backOnAir(killedAt, 'the media host');
  });

  test('of nginx: relay back, stream back', async () => {
    const killedAt = Date.now();
    process.kill(relayProcess(system.output()), 'SIGKILL');
    await backOnAir(killedAt, 'nginx');
  });

  test('of the agent: the stream does not stop, and the same device comes back', async () => {
    const before = await system.api.device(deviceId);
    const hostPid = readFileSync(join(system.stateDirectory, 'media-host.pid'), 'utf8');
    const killedAt = Date.now();
    process.kill(Number(processOf(system.folder, '.build/agent/agent.js')), 'SIGKILL');
    // It may be back before anybody noticed that it was gone: the new agent's own first event is the proof.
    await until('the device online in a new session', 20_000, async () => {
      const { entries } = await system.api.history(deviceId);
      const isNew = entries.some(({ kind, at }) => kind === 'agent-started' && Date.parse(at) > killedAt);
      return isNew && (await system.api.device(deviceId)).presence.state === 'online';
    });
    report('kill -9 of the agent, device online again', Date.now() - killedAt);
    const after = await system.api.device(deviceId);
    expect(after.relay?.receivingSince).toBe(before.relay?.receivingSince);
    expect(after.settings).toMatchObject({ kind: 'applied', appliedRevision: before.settings.desiredRevision });
    expect(readFileSync(join(system.stateDirectory, 'media-host.pid'), 'utf8')).toBe(hostPid);
    expect((await system.api.devices()).total).toBe(1);
  });

  test('of the fleet server: the stream does not stop; same device, same settings', async () => {
    const settingsBefore = await system.api.settings(deviceId);
    const recording = await record((await system.api.playback(deviceId)).rtmp, join(system.folder, 'server-killed.flv'));
    const killedAt = Date.now();
    process.kill(Number(processOf(system.folder, '.build/server/fleet-server.js')), 'SIGKILL');
    await until('the API again', 20_000, async () => (await system.api.devices()).total === 1);
    report('kill -9 of the fleet server, API back', Date.now() - killedAt);
    await until('the device online and live', 40_000, async () => {
      const device = await system.api.device(deviceId);
      return device.presence.state === 'online' && device.stream.kind === 'live';
    });
    report('kill -9 of the fleet server, device online and live', Date.now() - killedAt);
    const all = await packets(await recording.finish());
    // A busy machine holds up a picture or two; a stream that is begun anew takes longer.
    expect(steps(all, 'video').largestS).toBeLessThan(1);
    const settingsAfter = await until('settings applied', 10_000, async () => {
      const answer = await system.api.settings(deviceId);
      return answer.state === 'applied' && answer;
    });
    expect(settingsAfter.desiredRevision).toBe(settingsBefore.desiredRevision);
    expect(settingsAfter.settings.map(({ key, desired }) => [key, desired])).toEqual(
      settingsBefore.settings.map(({ key, desired }) => [key, desired]),
    );
  });
});

describe('strangers', () => {
  test('the device’s own id with a wrong credential is refused', async () => {
    await expect(connectAs(system, { clientId: deviceId, userName: deviceId, password: 'A'.repeat(43) })).rejects.toThrow(
      /not authori[sz]ed|bad user/i,
    );
    expect((await system.api.device(deviceId)).presence.state).toBe('online');
  });

  test('a real credential reads and writes nothing on another device’s topics', async () => {
    const tokenAnswer = await system.api.request('POST', '/join-tokens', { uses: 1 });
    const { token } = (await tokenAnswer.json()) as { token: string };
    const enrolment = await fetch(`${system.url}/api/v1/enrolments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ joinToken: token, name: 'a stranger' }),
    });
    expect(enrolment.status).toBe(201);
    const stranger = (await enrolment.json()) as { deviceId: string; credential: string };
    const before = await system.api.device(deviceId);

    const reader = await connectAs(system, { clientId: stranger.deviceId, userName: stranger.deviceId, password: stranger.credential });
    for (const topic of [`msl/v1/d/${deviceId}/desired`, 'msl/v1/d/+/desired', '#', '$SYS/#']) {
      expect(await subscribeAs(reader, topic), topic).toBe('refused');
    }
    await publishAs(reader, `msl/v1/d/${deviceId}/presence`, '{"v":1}');
    await system.api.patchSettings(deviceId, { AV_VIDEO_BITRATE: 2400 });
    await until('applied', 10_000, async () => (await system.api.settings(deviceId)).state === 'applied');
    expect(reader.received).toEqual([]);
    const after = await system.api.device(deviceId);
    expect(after.presence).toEqual(before.presence);
    await reader.close();
    expect((await system.api.request('DELETE', `/devices/${stranger.deviceId}`)).status).toBe(204);
  });
});

describe('commands and the watchdog', () => {
  test('restart-pipeline is done once and the stream goes on over the same connection', async () => {
    const before = await system.api.device(deviceId);
    const command = await system.api.command(deviceId, 'restart-pipeline');
    const done = await until('the result', 15_000, async () => {
      const answer = await system.api.request('GET', `/devices/${deviceId}/commands/${command.id}`);
      const status = (await answer.json()) as { state: string };
      return status.state !== 'waiting' && status.state !== 'sent' && status;
    });
    expect(done.state).toBe('done');
    expect((await system.api.device(deviceId)).outputs[0]?.connections).toBe(before.outputs[0]?.connections);
  });

  test('a device that says it streams while the relay receives nothing is restarted, and its history says why', async () => {
    const target = (await system.api.device(deviceId)).outputs[0]?.target ?? '';
    const liar = await startLiar(system, target);
    const shown = await until('the screen to tell the truth', 20_000, async () => {
      const { stream } = await system.api.device(liar.deviceId);
      return stream.kind === 'not-arriving' && stream;
    });
    expect(shown.detail).not.toBe('');
    await until('a restart command', 60_000, () => liar.commands.some(({ kind }) => kind === 'restart-pipeline'));
    const { entries } = await system.api.history(liar.deviceId);
    expect(entries.find(({ origin }) => origin === 'watchdog')?.detail).toMatch(/relay/i);
    expect((await system.api.history(deviceId)).entries.filter(({ origin }) => origin === 'watchdog')).toEqual([]);
    await liar.close();
  });
});
