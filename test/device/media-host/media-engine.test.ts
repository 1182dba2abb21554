/** Sound that is switched on and off, and gets another source, while it is streamed to a real relay. */
import { expect, onTestFinished, test } from 'vitest';
import type { PipelinePlan } from '#device/plan/pipeline-plan.ts';
import { planPipeline } from '#device/plan/plan.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { resolveProfile } from '#device/profile/resolve.ts';
import { resolveSettings } from '#device/settings/levels.ts';
import type { SettingValues } from '#protocol/settings.ts';
import { until } from '../../until.ts';
import { startHost } from '../media/supervised-host.ts';
import { TestRelay } from '../media/test-relay.ts';
import { server } from '../plan/hardware.ts';

const profile = resolveProfile(server, await loadProfiles());

function planWith(target: string, environment: SettingValues): PipelinePlan {
  const small = { AV_VIDEO_SOURCE: 'test', AV_VIDEO_WIDTH: 320, AV_VIDEO_HEIGHT: 180, AV_VIDEO_BITRATE: 300, AV_KEYFRAME_INTERVAL: 1 };
  const settings = resolveSettings({ environment: { ...small, AV_STREAM_URL: target, AV_STREAM_KEY: 'dev-1', ...environment } });
  return planPipeline(settings, server, profile);
}

test('sound comes, goes and comes from elsewhere over one connection, and time only grows at the far side', async () => {
  const relay = await TestRelay.start();
  onTestFinished(() => relay.stop());
  const host = await startHost();
  const change = async (environment: SettingValues): Promise<void> => {
    expect(await host.supervisor.apply(planWith(relay.target, environment))).toEqual({ kind: 'applied' });
    const before = host.status().framesTotal;
    await until('a second of frames', 10_000, () => host.status().framesTotal > before + 30);
  };
  await change({ AV_DISABLE_AUDIO: true });
  await host.untilStreaming();
  expect(host.status().figures?.audioBitrateKbps).toBe(0);
  await change({});
  expect((await relay.probe('dev-1')).audioCodec).toBe('aac');
  const { packets, complaints } = await relay.record('dev-1', async () => {
    await change({ AV_DISABLE_AUDIO: true });
    await change({ AV_AUDIO_SRC: 'audiotestsrc is-live=true wave=ticks', AV_AUDIO_SAMPLING_RATE: 32_000 });
  });
  expect(complaints).not.toMatch(/non.?monoton|invalid dts|error/i);
  for (const stream of ['video', 'audio'] as const) {
    const times = packets.filter((packet) => packet.stream === stream).map(({ dtsMs }) => dtsMs);
    const steps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(steps.length).toBeGreaterThan(40);
    expect(Math.min(...steps)).toBeGreaterThan(0);
    expect(Math.max(...steps)).toBeLessThan(2000);
  }
  expect(relay.publications).toHaveLength(1);
});
