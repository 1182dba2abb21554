/** Cameras and microphones that are pulled out of a running stream: what a viewer at the far side of a real relay gets. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { DetectedHardware } from '#device/detect/facts.ts';
import { restartsAnHour } from '#device/media-host/restart-allowance.ts';
import type { PipelinePlan } from '#device/plan/pipeline-plan.ts';
import { planPipeline } from '#device/plan/plan.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { resolveProfile, withProfileLevels } from '#device/profile/resolve.ts';
import { resolveSettings } from '#device/settings/levels.ts';
import type { SettingValues } from '#protocol/settings.ts';
import { timeUntil, until } from '../../until.ts';
import { type SupervisedHost, startHost } from '../media/supervised-host.ts';
import { type Packet, TestRelay } from '../media/test-relay.ts';
import { microphone, rawCamera, server, withDevices } from '../plan/hardware.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { pullAndPlug } from './hot-plug.ts';
import { cameraElement, cameraShape, microphoneElement, microphoneShape, PluggableSource } from './pluggable-source.ts';

const profiles = await loadProfiles();
const size = { width: 320, height: 180 };
let relay: TestRelay;

beforeAll(async () => {
  relay = await TestRelay.start();
});
afterAll(() => relay.stop());
beforeEach(async () => {
  await until('no publisher from before', 5000, async () => (await relay.publisherId()) === null);
  relay.publications.length = 0;
});

function planFor(camera: PluggableSource, microphone: PluggableSource | null, more: SettingValues = {}): PipelinePlan {
  const environment: SettingValues = {
    AV_STREAM_URL: relay.target,
    AV_STREAM_KEY: 'dev-1',
    AV_VIDEO_SOURCE: cameraElement(camera.port, size),
    AV_VIDEO_WIDTH: size.width,
    AV_VIDEO_HEIGHT: size.height,
    AV_VIDEO_BITRATE: 300,
    AV_PREVIEW_INTERVAL: 1,
    AV_KEYFRAME_INTERVAL: 1,
    AV_ROOM_NAME: 'Room <1> & "more"',
    ...(microphone === null ? {} : { AV_AUDIO_SRC: microphoneElement(microphone.port) }),
    ...more,
  };
  const hardware: DetectedHardware = { ...server, elements: new Set([...server.elements, 'tcpclientsrc']) };
  const profile = resolveProfile(hardware, profiles);
  return planPipeline(resolveSettings(withProfileLevels({ environment }, hardware, profile)), hardware, profile);
}

async function plugged(shape: Parameters<typeof PluggableSource.start>[0]): Promise<PluggableSource> {
  const source = await PluggableSource.start(shape);
  onTestFinished(source.unplug);
  return source;
}

function faultOf(host: SupervisedHost): string | undefined {
  const media = host.supervisor.status()?.media;
  return media?.kind === 'running' ? media.microphoneFault : undefined;
}

const kindOf = (host: SupervisedHost) => host.supervisor.status()?.media.kind;
const untilKind = (host: SupervisedHost, kind: string, boundMs = 5000) => timeUntil(`media ${kind}`, boundMs, () => kindOf(host) === kind);

async function untilMoreFrames(host: SupervisedHost, frames: number): Promise<void> {
  const before = host.status().framesTotal;
  await until(`${frames} frames more`, 10_000, () => host.supervisor.status() !== null && host.status().framesTotal > before + frames);
}

function expectUnbroken(recorded: { readonly packets: readonly Packet[]; readonly complaints: string }, longestGapMs = 2000): void {
  expect(recorded.complaints).not.toMatch(/non.?monoton|invalid dts|error/i);
  for (const stream of ['video', 'audio'] as const) {
    const times = recorded.packets.filter((packet) => packet.stream === stream).map(({ dtsMs }) => dtsMs);
    const steps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(Math.min(...steps)).toBeGreaterThan(0);
    expect(Math.max(...steps)).toBeLessThan(longestGapMs);
  }
}

describe('a camera that is pulled out', () => {
  it('gives way to the card at once, and is back on air when it is plugged in again, over one connection', async () => {
    const camera = await plugged(cameraShape(size));
    const host = await startHost();
    expect(await host.supervisor.apply(planFor(camera, null))).toEqual({ kind: 'applied' });
    await host.untilStreaming();
    const seen = await pullAndPlug({
      plug: camera,
      address: `${relay.target}/dev-1`,
      folder: await temporaryDirectory(),
      mediaKind: () => kindOf(host),
      frames: () => host.status().framesTotal,
    });
    expect(seen.complaints).toBe('');
    expect(seen.cardAfterMs).toBeLessThan(1000);
    expect(seen.backAfterMs).toBeLessThan(3000);
    expect(seen.smallestStepS).toBeGreaterThan(0);
    expect(seen.longestGapS).toBeLessThan(2);
    process.stdout.write(`camera pulled out and plugged in: ${JSON.stringify(seen)}\n`);
    expect(relay.publications).toHaveLength(1);
    expect(host.events.map(({ event }) => event)).toEqual(['output-streaming', 'no-signal', 'signal-back']);
    expect(host.status()).toMatchObject({
      captureLosses: 1,
      outputs: [{ connections: 1 }, { kind: 'preview', state: { kind: 'streaming' }, connections: 1 }],
    });
  });

  it('gives way to the card also when it only hangs, and comes back with or without a new start', async () => {
    const camera = await plugged(cameraShape(size));
    const host = await startHost();
    await host.supervisor.apply(planFor(camera, null));
    await host.untilStreaming();
    const recorded = await relay.record('dev-1', async () => {
      await untilMoreFrames(host, 60);
      camera.freeze();
      await untilKind(host, 'no-signal');
      await untilMoreFrames(host, 30);
      camera.thaw();
      await untilKind(host, 'running');
      expect(host.status().captureLosses).toBe(0);
      await untilMoreFrames(host, 30);
      camera.freeze();
      await until('a new start', 8000, () => host.status().captureLosses === 1);
      camera.thaw();
      await untilKind(host, 'running');
      await untilMoreFrames(host, 30);
    });
    expectUnbroken(recorded);
    expect(relay.publications).toHaveLength(1);
  });

  it('leaves the card on air through a change of size, and comes back in the new size', async () => {
    const camera = await plugged(cameraShape(size));
    const host = await startHost();
    await host.supervisor.apply(planFor(camera, null));
    await host.untilStreaming();
    const recorded = await relay.record('dev-1', async () => {
      await untilMoreFrames(host, 30);
      await camera.unplug();
      await untilKind(host, 'no-signal');
      const larger = planFor(camera, null, { AV_VIDEO_WIDTH: 640, AV_VIDEO_HEIGHT: 360 });
      expect(await host.supervisor.apply(larger)).toEqual({ kind: 'applied' });
      expect(kindOf(host)).toBe('no-signal');
      await until('a card of the new size', 5000, () => host.status().figures?.width === 640);
      await camera.plug();
      await untilKind(host, 'running');
      await untilMoreFrames(host, 30);
    });
    expectUnbroken(recorded);
    expect((await relay.probe('dev-1')).video).toEqual({ codec: 'h264', width: 640, height: 360 });
    expect(relay.publications).toHaveLength(1);
  });

  it('is back by itself, and at once when somebody asks, also after as many restarts as an hour allows', async () => {
    const camera = await plugged(cameraShape(size));
    const host = await startHost();
    const plan = planFor(camera, null);
    await host.supervisor.apply(plan);
    await host.untilStreaming();
    const nextTry = () => (host.status().media as { readonly nextTryAt?: string }).nextTryAt;
    await camera.unplug();
    await untilKind(host, 'no-signal');
    for (let time = 0; time < restartsAnHour; time += 1) await host.supervisor.restartCapture();
    expect(nextTry()).toBeUndefined();
    await camera.plug();
    await untilKind(host, 'running', 20_000);

    // As a camera of which the device knows that it is plugged in, whatever a try says.
    const known = (frames: number): PipelinePlan => {
      const source = { ...plan.capture.source, kind: 'camera' } as const;
      return {
        ...plan,
        capture: { ...plan.capture, source, framesPerSecond: frames, description: plan.capture.description + ' '.repeat(30 - frames) },
      };
    };
    expect(await host.supervisor.apply(known(29))).toEqual({ kind: 'applied' });
    for (const again of [() => host.supervisor.restartCapture(), () => host.supervisor.apply(known(28))]) {
      await camera.unplug();
      await until('a restart that is held up', 40_000, nextTry);
      expect(kindOf(host)).toBe('no-signal');
      await camera.plug();
      expect(await again()).toEqual({ kind: 'applied' });
      expect(nextTry()).toBeUndefined();
    }
    expect(relay.publications).toHaveLength(1);
  }, 90_000);

  it('was never there: the card is on air from the start, with its preview', async () => {
    const camera = await plugged(cameraShape(size));
    await camera.unplug();
    const host = await startHost();
    expect(await host.supervisor.apply(planFor(camera, null))).toMatchObject({ kind: 'failed' });
    await host.untilStreaming();
    expect(host.status()).toMatchObject({ media: { kind: 'no-signal' } });
    await until('a preview', 5000, () => host.previews.length > 0);
    expect((await relay.probe('dev-1')).video).toEqual({ codec: 'h264', ...size });
    await camera.plug();
    expect(await untilKind(host, 'running')).toBeLessThan(3000);
  });
});

describe('a chosen camera that nobody has seen', () => {
  const profile = resolveProfile(server, profiles);
  const named = (room: string) => {
    const environment: SettingValues = { AV_PREVIEW_INTERVAL: 1, AV_VIDEO_WIDTH: 640, AV_VIDEO_HEIGHT: 360, AV_ROOM_NAME: room };
    return { ...planPipeline(resolveSettings({ environment }), server, profile, 'usb-nobody'), outputs: [] };
  };

  it('has a card whose words are written anew, also under another name of the room, and it is always the same card', async () => {
    const host = await startHost();
    expect(await host.supervisor.apply(named('Hall 1'))).toEqual({ kind: 'applied' });
    expect(host.status().media).toMatchObject({ kind: 'no-signal', reason: 'No signal: usb-nobody is not there' });
    await until('two pictures that differ', 10_000, () => new Set(host.previews.map((jpeg) => jpeg.toString('base64'))).size > 1);
    const { since } = host.status().media;
    expect(await host.supervisor.apply(named('Hall 2'))).toEqual({ kind: 'applied' });
    expect(host.status().media).toMatchObject({ kind: 'no-signal', since });
  });
});

describe('a V4L2 camera that is not there', () => {
  const hardware = withDevices(server, [{ ...rawCamera, path: '/dev/video99' }]);
  const profile = resolveProfile(hardware, profiles);
  const planned = planPipeline(resolveSettings(withProfileLevels({ environment: {} }, hardware, profile)), hardware, profile).capture;
  const { devicePath, ...unchecked } = planned;

  it.each([
    ['is not even tried', planned, '/dev/video99 is not there'],
    ['is said by GStreamer itself, each time and at once', unchecked, 'No such file or directory'],
  ])('%s', async (_, capture, reason) => {
    const host = await startHost();
    for (let time = 0; time < 3; time += 1) {
      const begin = performance.now();
      const { supervisor } = host;
      const outcome = await (time === 0 ? supervisor.apply({ capture, live: [], outputs: [] }) : supervisor.restartCapture());
      expect(outcome).toMatchObject({ kind: 'failed', reason: expect.stringContaining(reason) });
      // Waiting for its first picture would take ten seconds.
      expect(performance.now() - begin).toBeLessThan(5000);
    }
    await until('the card', 5000, () => host.status().framesTotal > 30);
    expect(devicePath).toBe('/dev/video99');
  });
});

describe('a microphone that is pulled out', () => {
  it('leaves the picture on air with silence, and is heard again when it is back', async () => {
    const camera = await plugged(cameraShape(size));
    const microphone = await plugged(microphoneShape);
    const host = await startHost();
    expect(await host.supervisor.apply(planFor(camera, microphone))).toEqual({ kind: 'applied' });
    await host.untilStreaming();
    const lostAt = () => {
      const media = host.supervisor.status()?.media;
      return media?.kind === 'running' ? media.microphoneLostAt : undefined;
    };
    const recorded = await relay.record('dev-1', async () => {
      await untilMoreFrames(host, 60);
      await microphone.unplug();
      await until('the picture without its microphone', 5000, () => lostAt() !== undefined);
      await untilMoreFrames(host, 60);
      // Not what was said when it went, but what the listening for it finds.
      await until('why it is not heard', 5000, () => faultOf(host)?.includes('Connection refused'));
      await microphone.plug();
      await until('the microphone back', 8000, () => kindOf(host) === 'running' && lostAt() === undefined);
      await untilMoreFrames(host, 60);
    });
    expectUnbroken(recorded);
    expect(relay.publications).toHaveLength(1);
  });

  it('is told by what ALSA itself says of it', async () => {
    const hardware = withDevices(server, [], [microphone(7)]);
    const profile = resolveProfile(hardware, profiles);
    const environment: SettingValues = { AV_VIDEO_SOURCE: 'test', AV_VIDEO_WIDTH: 320, AV_VIDEO_HEIGHT: 180, AV_AUDIO_DEVICE: '7' };
    const planned = planPipeline(resolveSettings({ environment }), hardware, profile);
    expect(planned.capture.description).toContain('alsasrc name=microphone device="plughw:7,0"');
    const host = await startHost();
    expect(await host.supervisor.apply({ ...planned, outputs: [] })).toEqual({ kind: 'applied' });
    expect(faultOf(host)).toBe('it is not there any more');
  });

  it('together with its camera comes back with it', async () => {
    const camera = await plugged(cameraShape(size));
    const microphone = await plugged(microphoneShape);
    const host = await startHost();
    await host.supervisor.apply(planFor(camera, microphone));
    await host.untilStreaming();
    await untilMoreFrames(host, 30);
    await Promise.all([camera.unplug(), microphone.unplug()]);
    await untilKind(host, 'no-signal');
    await untilMoreFrames(host, 30);
    await Promise.all([camera.plug(), microphone.plug()]);
    await until('both back', 8000, () => host.status().media.kind === 'running' && !('microphoneLostAt' in host.status().media));
    expect(relay.publications).toHaveLength(1);
  });
});
