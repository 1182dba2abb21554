/**
 * What `makespacelive agent --print-pipeline` prints, whole, for every board with every camera, and for the settings that change
 * it. The files under golden/ are the expectation; `vitest -u` writes them anew, and the difference is then to be read.
 */
import { expect, test } from 'vitest';
import type { CameraFact, DetectedHardware, MicrophoneFact } from '#device/detect/facts.ts';
import { describePlan } from '#device/plan/plan.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { resolveProfile } from '#device/profile/resolve.ts';
import { fitSettings } from '#device/settings/prepare.ts';
import type { SettingValues } from '#protocol/settings.ts';
import { microphone, pi4, server, withDevices } from './hardware.ts';
import { knownCameras, ownMicrophone } from './known-cameras.ts';

const profiles = await loadProfiles();

const piElements = pi4.elements;
const withoutHardwareEncoder = new Set([...piElements].filter((element) => element !== 'v4l2h264enc'));
const pi = (model: string, architecture: string): DetectedHardware => ({ ...pi4, board: { model, architecture } });

/** Boards that do all of it alike have one file. */
const golden: Readonly<Record<string, string>> = {
  'raspberry-pi-zero-2-w': 'raspberry-pi-4',
  'raspberry-pi-3': 'raspberry-pi-4',
  'generic-arm64': 'generic-x86-64',
};

const boards: Readonly<Record<string, DetectedHardware>> = {
  'raspberry-pi-zero-w': pi('Raspberry Pi Zero W Rev 1.1', 'armv6l'),
  'raspberry-pi-zero-2-w': pi('Raspberry Pi Zero 2 W Rev 1.0', 'aarch64'),
  'raspberry-pi-3': pi('Raspberry Pi 3 Model B Plus Rev 1.3', 'aarch64'),
  'raspberry-pi-4': pi('Raspberry Pi 4 Model B Rev 1.5', 'aarch64'),
  'raspberry-pi-5': {
    ...server,
    board: { model: 'Raspberry Pi 5 Model B Rev 1.0', architecture: 'aarch64' },
    elements: withoutHardwareEncoder,
  },
  'generic-arm64': { ...server, board: { model: 'Radxa ROCK 5B', architecture: 'aarch64' } },
  'generic-x86-64': server,
};

function printed(hardware: DetectedHardware, environment: SettingValues): string {
  const machine = { hardware, profile: resolveProfile(hardware, profiles), environment, fleetUrl: null };
  const { plan, shortfall } = fitSettings(null, machine);
  return [describePlan(plan), ...(shortfall === null ? [] : [`mode-not-met: ${shortfall}`])].join('\n');
}

function section(name: string, environment: SettingValues, hardware: DetectedHardware): string {
  const settings = Object.entries(environment).map(([key, value]) => `${key}=${value}`);
  return [`## ${[name, ...settings].join(', ')}`, printed(hardware, environment)].join('\n');
}

function plug(hardware: DetectedHardware, camera: CameraFact | null, more: readonly MicrophoneFact[] = []): DetectedHardware {
  if (camera === null) return withDevices(hardware, [], more);
  const own = camera.usb === null ? [] : [ownMicrophone(camera)];
  return withDevices(hardware, [camera], [...own, ...more]);
}

test.each(Object.entries(boards))('every camera on %s', async (board, hardware) => {
  const isPi = board.startsWith('raspberry');
  const sections = Object.entries(knownCameras)
    .filter(([, camera]) => isPi || camera?.kind !== 'libcamera')
    .map(([name, camera]) => section(name, {}, plug(hardware, camera)));
  await expect(`${sections.join('\n\n')}\n`).toMatchFileSnapshot(`golden/${golden[board] ?? board}.txt`);
});

const camera = (name: string): CameraFact => {
  const found = knownCameras[name];
  if (found == null) throw new Error(`expected a camera, came ${name}`);
  return found;
};

test.each(['generic-x86-64', 'raspberry-pi-4', 'raspberry-pi-zero-w'])('what settings change on %s', async (board) => {
  const hardware = boards[board] ?? server;
  const card = microphone(2, { name: 'USB sound card', cardId: 'Device' });
  const turns = [90, 180, 270].map((turn): SettingValues => ({ AV_VIDEO_ROTATE: turn, AV_DISABLE_AUDIO: true }));
  const wishes: readonly SettingValues[] = [
    { AV_DISABLE_AUDIO: true },
    { AV_AUDIO_DEVICE: 'hw:2,0', AV_AUDIO_SAMPLING_RATE: 48000 },
    { AV_AUDIO_DEVICE: 'USB sound card', AV_AUDIO_BITRATE: 64 },
    ...turns,
    { AV_VIDEO_WIDTH: 1920, AV_VIDEO_HEIGHT: 1080, AV_DISABLE_AUDIO: true },
    { AV_VIDEO_WIDTH: 1920, AV_VIDEO_HEIGHT: 1080, AV_VIDEO_FRAMERATE: 60, AV_DISABLE_AUDIO: true },
    { AV_VIDEO_WIDTH: 640, AV_VIDEO_HEIGHT: 360, AV_VIDEO_FRAMERATE: 15, AV_VIDEO_BITRATE: 600, AV_PREVIEW_INTERVAL: 0 },
    { AV_KEYFRAME_INTERVAL: 1, AV_H264_PARSER_PARAMS: 'config-interval=1', AV_DISABLE_AUDIO: true },
    { AV_VIDEO_SOURCE: 'test', AV_VIDEO_ROTATE: 90 },
    { AV_VIDEO_SOURCE: 'file:/talks/break.mp4' },
    { AV_VIDEO_SOURCE: 'file:/talks/break.mp4', AV_AUDIO_DEVICE: 'hw:2,0' },
    { AV_VIDEO_SOURCE: 'videotestsrc pattern=ball', AV_AUDIO_SRC: 'audiotestsrc wave=ticks' },
  ];
  const names = board === 'generic-x86-64' ? ['C270', 'C920 with H.264'] : ['C920 with H.264', 'camera module 3'];
  const sections = names.flatMap((name) => wishes.map((wish) => section(name, wish, plug(hardware, camera(name), [card]))));
  await expect(`${sections.join('\n\n')}\n`).toMatchFileSnapshot(`golden/settings-on-${board}.txt`);
});
