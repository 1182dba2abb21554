import { expect, test } from 'vitest';
import type { CameraFact, DetectedHardware, MicrophoneFact } from '#device/detect/facts.ts';
import { chooseAudio, describeBorrowed } from '#device/plan/audio-source.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { resolveProfile } from '#device/profile/resolve.ts';
import { chooseVideo } from '#device/profile/video-source.ts';
import { resolveSettings, type SettingsByLevel } from '#device/settings/levels.ts';
import { c270, cameraModule, microphone, rawCamera, server, withDevices } from './hardware.ts';

const profiles = await loadProfiles();
const own = microphone(1, { cameraId: 'usb-c270', cardId: 'WEBCAM', name: 'C270 HD WEBCAM', id: 'usb-1-1.3-A1-audio-0' });
const card = microphone(2, { cardId: 'Device', device: 1, alsaDevice: 'hw:2,1' });

function choose(cameras: Parameters<typeof withDevices>[1], microphones: Parameters<typeof withDevices>[2], levels: SettingsByLevel = {}) {
  const hardware = withDevices(server, cameras, microphones);
  const settings = resolveSettings(levels);
  return chooseAudio(settings, hardware, resolveProfile(hardware, profiles), chooseVideo(settings.AV_VIDEO_SOURCE, hardware));
}

test('unset: the camera’s own, else one that belongs to no camera, else any, else silence', () => {
  expect(choose([c270], [card, own])).toEqual({ kind: 'microphone', microphone: own });
  expect(choose([rawCamera], [own, card])).toEqual({ kind: 'microphone', microphone: card });
  expect(choose([rawCamera, c270], [own])).toEqual({ kind: 'microphone', microphone: own });
  expect(choose([cameraModule], [card])).toEqual({ kind: 'microphone', microphone: card });
  expect(choose([c270], [])).toEqual({ kind: 'silence', reason: 'no microphone was found' });
});

test('why there is silence', () => {
  const reasonOf = (hardware: DetectedHardware) => {
    const settings = resolveSettings({});
    const audio = chooseAudio(settings, hardware, resolveProfile(hardware, profiles), chooseVideo(settings.AV_VIDEO_SOURCE, hardware));
    return audio.kind === 'silence' ? audio.reason : audio.kind;
  };
  expect(reasonOf({ ...withDevices(server, [c270], []), playingCards: ['vc4-hdmi', 'Headphones'] })).toBe(
    'no microphone was found; of the sound cards vc4-hdmi, Headphones none records',
  );
  const withoutAlsa = { ...withDevices(server, [c270], [own]), elements: new Set(['v4l2src', 'voaacenc']) };
  expect(reasonOf(withoutAlsa)).toContain('install gstreamer1.0-alsa');
  const named = resolveSettings({ device: { AV_AUDIO_DEVICE: 'Nobody' } });
  expect(chooseAudio(named, withoutAlsa, resolveProfile(withoutAlsa, profiles), { kind: 'test' }).kind).toBe('missing');
});

test('the microphone of another camera is named as such, its own and a free one are not', () => {
  const on = (camera: CameraFact) => ({ kind: 'camera', camera }) as const;
  expect(describeBorrowed(own, on(rawCamera))).toContain('built into another camera, usb-c270');
  expect(describeBorrowed(own, on(c270))).toBeNull();
  expect(describeBorrowed(card, on(rawCamera))).toBeNull();
  expect(describeBorrowed(own, { kind: 'test' })).toBeNull();
});

test('one that was heard and is away is awaited, unless another camera is on air that has its own, or the away one was the other camera’s', () => {
  const away = (heard: MicrophoneFact, besideCamera: string | null, wanted = '') => ({
    heard: { wanted, microphone: heard, besideCamera, isAway: true },
  });
  const chosen = (
    camera: CameraFact,
    microphones: readonly MicrophoneFact[],
    more: Partial<DetectedHardware>,
    levels: SettingsByLevel = {},
  ) => {
    const hardware = { ...withDevices(server, [camera], microphones), ...more };
    const settings = resolveSettings(levels);
    return chooseAudio(settings, hardware, resolveProfile(hardware, profiles), { kind: 'camera', camera });
  };
  expect(chosen(c270, [own], away(card, c270.id))).toEqual({ kind: 'microphone', microphone: card });
  expect(chosen(c270, [own], away(card, rawCamera.id))).toEqual({ kind: 'microphone', microphone: own });
  expect(chosen(rawCamera, [own], away(card, c270.id))).toEqual({ kind: 'microphone', microphone: card });
  expect(chosen(rawCamera, [card], away(own, c270.id))).toEqual({ kind: 'microphone', microphone: card });
  expect(chosen(c270, [card], away(own, c270.id))).toEqual({ kind: 'microphone', microphone: own });
  expect(chosen(c270, [own], away(card, c270.id, '2'))).toEqual({ kind: 'microphone', microphone: own });
  expect(chosen(c270, [own], away(card, c270.id, '2'), { device: { AV_AUDIO_DEVICE: '2' } })).toEqual({
    kind: 'microphone',
    microphone: card,
  });
  expect(chosen(c270, [own], away(card, c270.id, '2'), { device: { AV_AUDIO_DEVICE: '1' } })).toEqual({
    kind: 'microphone',
    microphone: own,
  });
});

test('the test picture has its tone, also where there is a microphone', () => {
  expect(choose([], [card])).toEqual({ kind: 'tone' });
});

test.each([
  ['1', own],
  ['2', card],
  ['hw:2', card],
  ['hw:2,1', card],
  ['plughw:CARD=Device,DEV=1', card],
  ['Device', card],
  ['usb-1-1.3-A1-audio-0', own],
  ['c270 hd webcam', own],
])('AV_AUDIO_DEVICE %s', (value, expected) => {
  expect(choose([c270], [card, own], { device: { AV_AUDIO_DEVICE: value } })).toEqual({ kind: 'microphone', microphone: expected });
});

test.each(['3', 'hw:2,0', 'Nobody', 'default'])('AV_AUDIO_DEVICE %s is not there', (value) => {
  const reason = `no microphone "${value}": expected one of hw:2,1 (Microphone 2), hw:1,0 (C270 HD WEBCAM)`;
  expect(choose([c270], [card, own], { device: { AV_AUDIO_DEVICE: value } })).toEqual({ kind: 'missing', reason });
});

test('off wins over everything', () => {
  const levels = { environment: { AV_AUDIO_SRC: 'audiotestsrc' }, device: { AV_DISABLE_AUDIO: true, AV_AUDIO_DEVICE: '1' } };
  expect(choose([c270], [own], levels)).toEqual({ kind: 'off' });
});

test('a source element: from the environment only', () => {
  expect(choose([c270], [own], { environment: { AV_AUDIO_SRC: 'audiotestsrc' } })).toEqual({
    kind: 'element',
    description: 'audiotestsrc',
  });
  expect(choose([c270], [own], { device: { AV_AUDIO_SRC: 'audiotestsrc' } })).toEqual({ kind: 'microphone', microphone: own });
});
