import { expect, it } from 'vitest';
import { FigureMeter } from '#device/media-host/figures.ts';
import { makeTag } from './tags.ts';

it('figures are of the time between two samples, headers apart', () => {
  const meter = new FigureMeter(1000);
  meter.add(makeTag('script', 0, 300));
  for (let frame = 0; frame < 60; frame += 1) meter.add(makeTag(frame % 30 === 0 ? 'keyframe' : 'frame', frame * 33, 1000));
  for (let sound = 0; sound < 50; sound += 1) meter.add(makeTag('sound', sound * 40, 160));
  const unknown = { width: 0, height: 0 };
  expect(meter.sample(3000)).toEqual({ framesPerSecond: 30, videoBitrateKbps: 240, audioBitrateKbps: 32, framesTotal: 60, ...unknown });
  meter.add(makeTag('frame', 2000, 1000));
  expect(meter.sample(3000)).toBeNull();
  expect(meter.sample(4000)).toEqual({ framesPerSecond: 1, videoBitrateKbps: 8, audioBitrateKbps: 0, framesTotal: 61, ...unknown });
});
