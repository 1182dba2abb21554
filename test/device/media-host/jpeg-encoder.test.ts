/** Previews in a real media host: what fails there is told of, and is nothing to the capture. */
import { expect, test } from 'vitest';
import { jpegSize } from '#device/commands/still-picture.ts';
import { until } from '../../until.ts';
import { startHost } from '../media/supervised-host.ts';
import { previewPlan, testPlan } from '../media/test-plan.ts';

const size = { width: 320, height: 180 };

test('pictures come, their output streams, and goes with the wish for it; the capture is the same one', { timeout: 30_000 }, async () => {
  const host = await startHost();
  expect(await host.supervisor.apply(testPlan({ picture: size, preview: previewPlan(size) }))).toEqual({ kind: 'applied' });
  const jpeg = await until('a preview', 10_000, () => host.previews[0]);
  expect(jpegSize(jpeg)).toEqual(size);
  const status = await until('its output to stream', 5000, () => {
    const [output] = host.status().outputs;
    return output?.state.kind === 'streaming' && output.bytesSent > 0 && output;
  });
  expect(status).toMatchObject({ id: 'preview', kind: 'preview', target: 'pictures for the dashboard', connections: 1, droppedGroups: 0 });
  const { since } = host.status().media;
  await host.supervisor.apply(testPlan({ picture: size }));
  expect(host.status().outputs).toEqual([]);
  const before = host.previews.length;
  const frames = host.status().framesTotal;
  await until('two seconds of frames', 10_000, () => host.status().framesTotal > frames + 60);
  expect(host.previews.length - before).toBeLessThanOrEqual(1);
  await host.supervisor.apply(testPlan({ picture: size, preview: previewPlan(size) }));
  await until('previews again', 10_000, () => host.outputOf('preview')?.kind === 'streaming');
  expect(host.status().media.since).toBe(since);
});

test.each([
  ['fails', 'identity error-after=2 ! jpegenc', /^the JPEG encoder failed: identity0: /],
  ['is not installed', 'no-such-element', /no element "no-such-element"/],
])('an encoder that %s: the capture keeps its frames', { timeout: 30_000 }, async (_what, encoding, lastError) => {
  const host = await startHost();
  await host.supervisor.apply(testPlan({ picture: size, recording: { segmentS: 60 }, preview: previewPlan(size, encoding) }));
  const state = await until('the failure', 15_000, () => host.outputOf('preview')?.kind === 'waiting' && host.outputOf('preview'));
  expect(state).toMatchObject({ kind: 'waiting', attempt: 2, lastError: expect.stringMatching(lastError) });
  const { since } = host.status().media;
  const before = host.status().framesTotal;
  await until('two seconds of frames', 10_000, () => host.status().framesTotal > before + 60);
  expect(host.status()).toMatchObject({ media: { kind: 'running', since }, captureLosses: 0 });
  expect(host.recording()).toMatchObject({ state: { kind: 'streaming' }, connections: 1 });
});

test('an encoder that fails now and then goes on after its back-off', { timeout: 30_000 }, async () => {
  const host = await startHost();
  const encoding = 'identity error-after=2 ! jpegenc';
  await host.supervisor.apply(testPlan({ picture: size, preview: previewPlan(size, encoding) }));
  await until('pictures of two runs', 20_000, () => (host.status().outputs[0]?.connections ?? 0) >= 2);
  expect(host.previews.length).toBeGreaterThanOrEqual(2);
  expect(host.status().captureLosses).toBe(0);
});
