import { expect, onTestFinished, test } from 'vitest';
import type { CameraFact, DetectedHardware, MicrophoneFact } from '#device/detect/facts.ts';
import { MachineKeeper } from '#device/machine-keeper.ts';
import { chooseAudio } from '#device/plan/audio-source.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { chooseVideo } from '#device/profile/video-source.ts';
import { resolveSettings } from '#device/settings/levels.ts';
import type { Machine } from '#device/settings/prepare.ts';
import { StateDirectory } from '#device/state/state-directory.ts';
import type { SettingValues } from '#protocol/settings.ts';
import { bareHardware, desired, webcam } from './bare-machine.ts';
import { manualClock } from './manual-clock.ts';
import { microphone } from './plan/hardware.ts';
import { quietLog } from './quiet-log.ts';
import { startedAgent } from './started-agent.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { startedFleet } from './uplink/started-fleet.ts';

const profiles = await loadProfiles();
const since = '2026-11-21T12:00:00Z';
const [first, second, third] = [microphone(1), microphone(2), microphone(3)];

/** An agent's start on that state directory: each look finds these, in the order of their sockets. */
async function machineOf(path: string, bootId: string) {
  let hardware: DetectedHardware = bareHardware;
  const log = quietLog();
  const state = new StateDirectory(path, log);
  const keeper = new MachineKeeper({
    detect: async () => hardware,
    profiles,
    configuration: { stateDirectory: path, fleet: null, settings: {}, boardId: null, logLevel: 'debug', refused: [], unknownNames: [] },
    state,
    clock: manualClock(),
    log,
  });
  onTestFinished(() => state.settled());
  await keeper.load(bootId);
  return {
    settled: () => state.settled(),
    detect: (seen: DetectedHardware) => {
      hardware = seen;
      return keeper.detect();
    },
    look: async (...microphones: readonly MicrophoneFact[]) => {
      hardware = { ...bareHardware, microphones };
      return (await keeper.detect()).hardware.microphones.map(({ card }) => card);
    },
  };
}

test('the microphone that was heard is the first again after a restart, though another one has the first socket', async () => {
  const path = await temporaryDirectory();
  const before = await machineOf(path, 'boot-1');
  expect(await before.look(second)).toEqual([2]);
  expect(await before.look(first, second)).toEqual([2, 1]);
  await before.settled();
  const after = await machineOf(path, 'boot-1');
  expect(await after.look(first, second)).toEqual([2, 1]);
  expect(await after.look(first, second, third)).toEqual([2, 1, 3]);
});

test('one that comes back after a restart has its place again, and a boot begins with the order of the sockets', async () => {
  const path = await temporaryDirectory();
  const before = await machineOf(path, 'boot-1');
  await before.look(third, second);
  await before.settled();
  const after = await machineOf(path, 'boot-1');
  expect(await after.look(first, second)).toEqual([2, 1]);
  expect(await after.look(first, second, third)).toEqual([3, 2, 1]);
  expect(await (await machineOf(path, 'boot-2')).look(first, second, third)).toEqual([1, 2, 3]);
});

const withSerial = (socket: string) => {
  const usb = { id: '0c45:6366', serial: 'UC684', port: `1-${socket}`, place: `0000:01:00.0-${socket}`, speedMbps: 480 };
  const id = `usb-0c45-6366-UC684-0000_01_00.0-${socket}`;
  return { camera: { ...webcam, id, usb }, microphone: microphone(Number(socket), { id: `${id}-audio-0`, usb }) };
};

/** What is on air and heard where that webcam and its microphone are chosen. */
function chosen(one: ReturnType<typeof withSerial>) {
  const settings = resolveSettings({ device: { AV_VIDEO_SOURCE: one.camera.id, AV_AUDIO_DEVICE: one.microphone.id } });
  return ({ hardware, profile }: Machine) => {
    const video = chooseVideo(settings.AV_VIDEO_SOURCE, hardware);
    return [video.kind, chooseAudio(settings, hardware, profile, video).kind];
  };
}

test('a serial number that two had at once is no proof, also after a reboot: neither has the name of the other', async () => {
  const path = await temporaryDirectory();
  const [one, two] = [withSerial('1'), withSerial('2')];
  const chosenOf = chosen(one);
  const onlySecond = { ...bareHardware, cameras: [two.camera], microphones: [two.microphone] };
  const before = await machineOf(path, 'boot-1');
  expect(chosenOf(await before.detect(onlySecond))).toEqual(['camera', 'microphone']);
  await before.detect({ ...bareHardware, cameras: [one.camera, two.camera], microphones: [one.microphone, two.microphone] });
  expect(chosenOf(await before.detect(onlySecond))).toEqual(['missing', 'missing']);
  await before.settled();
  const after = await machineOf(path, 'boot-2');
  expect(chosenOf(await after.detect(onlySecond))).toEqual(['missing', 'missing']);
});

test('a webcam that changes its socket between the look at cameras and the one at microphones is one, not two of the same serial number', async () => {
  const [before, after] = [withSerial('1'), withSerial('2')];
  const machine = await machineOf(await temporaryDirectory(), 'boot-1');
  await machine.detect({ ...bareHardware, cameras: [before.camera], microphones: [after.microphone] });
  const moved = await machine.detect({ ...bareHardware, cameras: [after.camera], microphones: [after.microphone] });
  expect(chosen(before)(moved)).toEqual(['camera', 'microphone']);
});

test('a camera that is plugged in when the pipeline fails is taken', async () => {
  const fleet = await startedFleet();
  const { media, world } = await startedAgent(fleet);
  await fleet.hear('hello');
  world.hardware = { ...bareHardware, cameras: [webcam] };
  world.fingerprint = 'a webcam';
  const planned = media.nextPlan();
  media.say({ kind: 'failed', since, reason: 'gone' });
  await planned;
  expect(media.plans.at(-1)?.capture.source.kind).toBe('camera');
  expect((await fleet.hear('event', ({ kind }) => kind === 'camera-found')).body.detail).toContain('Test webcam');
  await fleet.hear('report', ({ source, inventory }) => source?.kind === 'camera' && inventory.cameras.length === 1);
});

test('a camera that is pulled out is planned for all the same, and is out of the inventory', async () => {
  const fleet = await startedFleet();
  const { media, world } = await startedAgent(fleet, { hardware: { ...bareHardware, cameras: [webcam] } });
  await fleet.hear('report', ({ source }) => source?.kind === 'camera');
  world.hardware = bareHardware;
  world.fingerprint = 'nothing';
  media.say({ kind: 'no-signal', since, reason: 'the device is gone' });
  const { body } = await fleet.hear('report', ({ inventory }) => inventory.cameras.length === 0);
  expect(body).toMatchObject({ source: { kind: 'camera', id: webcam.id }, media: { kind: 'no-signal', reason: 'the device is gone' } });
  expect(body.conditions.map(({ code }) => code)).toEqual(expect.arrayContaining(['no-signal']));
  expect(new Set(media.plans.map((plan) => JSON.stringify(plan.capture))).size).toBe(1);
  world.hardware = { ...bareHardware, cameras: [{ ...webcam, path: '/dev/video2' }] };
  world.fingerprint = 'another node';
  const planned = media.nextPlan();
  media.say({ kind: 'failed', since, reason: 'gone' });
  await planned;
  expect(media.plans.at(-1)?.capture.description).toContain('/dev/video2');
});

const onSameBus = (id: string, socket: string): CameraFact => ({
  ...webcam,
  id,
  path: `/dev/video${socket}`,
  usb: { id: '0000:0002', serial: null, port: `1-1.${socket}`, place: `0000:01:00.0-1.${socket}`, speedMbps: 480 },
  modes: [{ pixelFormat: 'YUYV', width: 640, height: 480, frameRates: [20, 10] }],
});

test.each<[string, readonly MicrophoneFact[], SettingValues]>([
  ['nothing is missing', [microphone(2)], {}],
  ['there is no microphone', [], {}],
  ['a setting is left out', [microphone(2)], { AV_AUDIO_DEVICE: 'Nobody' }],
])('cameras that are plugged in beside the one on air can be chosen, and the stream goes on: %s', async (_name, microphones, settings) => {
  const [onAir, ...others] = ['1', '2', '3', '4'].map((socket) => onSameBus(`usb-${socket}`, socket));
  const hardware = { ...bareHardware, microphones, cameras: onAir === undefined ? [] : [onAir] };
  const size = { AV_VIDEO_WIDTH: 640, AV_VIDEO_HEIGHT: 480 };
  const fleet = await startedFleet();
  const { media, world } = await startedAgent(fleet, { hardware, settings: { ...size, ...settings } });
  await fleet.hear('report', ({ source }) => source?.id === onAir?.id);
  expect(media.plans.at(-1)?.capture.framesPerSecond).toBe(20);
  world.hardware = { ...hardware, cameras: [...hardware.cameras, ...others] };
  world.fingerprint = 'all';
  media.say({ kind: 'no-signal', since, reason: 'a moment of none' });
  media.say({ kind: 'running', since });
  await fleet.hear('report', ({ inventory, media }) => inventory.cameras.length === 4 && media.kind === 'running');
  expect(new Set(media.plans.map(({ capture }) => JSON.stringify(capture))).size).toBe(1);
});

test('what was missing comes, and is used', async () => {
  const fleet = await startedFleet();
  const hardware = { ...bareHardware, cameras: [webcam] };
  const { media, world } = await startedAgent(fleet, { hardware });
  await fleet.hear('report', ({ source }) => source?.id === webcam.id);
  Object.assign(world, { hardware: { ...hardware, microphones: [microphone(2)] }, fingerprint: 'a microphone' });
  const planned = media.nextPlan();
  media.say({ kind: 'no-signal', since, reason: 'a moment of none' });
  media.say({ kind: 'running', since });
  await planned;
  expect(media.plans.at(-1)?.capture.description).toContain('plughw:2,0');
});

const onUsb = (card: number, socket: string): MicrophoneFact => {
  const usb = { id: `1234:000${socket}`, serial: null, port: `1-1.${socket}`, place: `0000:01:00.0-1.${socket}`, speedMbps: 12 };
  return microphone(card, { id: `usb-${socket}-audio-0`, usb });
};
const lost = {
  kind: 'running',
  since,
  microphoneLostAt: '2026-11-21T12:00:01Z',
  microphoneFault: 'it is not there any more',
} as const;

test.each<[string, SettingValues, MicrophoneFact]>([
  ['none is chosen', {}, onUsb(2, '2')],
  ['it is chosen', { AV_AUDIO_DEVICE: 'usb-1-audio-0' }, onUsb(2, '2')],
  [
    'it is chosen, and the other one is built into the camera',
    { AV_AUDIO_DEVICE: 'usb-1-audio-0' },
    { ...onUsb(2, '2'), cameraId: webcam.id },
  ],
])('no other microphone is heard because one was pulled out, which is heard again: %s', async (_name, settings, other) => {
  const fleet = await startedFleet();
  const both = { ...bareHardware, cameras: [webcam], microphones: [onUsb(1, '1'), other] };
  const { media, world } = await startedAgent(fleet, { hardware: both, settings });
  await fleet.hear('report', ({ source }) => source?.id === webcam.id);
  const [plan] = media.plans;
  expect(plan?.capture.description).toContain('plughw:1,0');
  Object.assign(world, { hardware: { ...both, microphones: [other] }, fingerprint: 'without' });
  media.say(lost);
  await fleet.hear('report', ({ inventory }) => inventory.microphones.length === 1);
  expect(new Set(media.plans.map(({ capture }) => JSON.stringify(capture))).size).toBe(1);

  const swapped = [{ ...other, card: 1, alsaDevice: 'hw:1,0' }, onUsb(2, '1')];
  Object.assign(world, { hardware: { ...both, microphones: swapped }, fingerprint: 'in another order' });
  const planned = media.nextPlan();
  media.say({ kind: 'no-signal', since, reason: 'a moment of none' });
  media.say(lost);
  await planned;
  expect(media.plans.at(-1)?.capture.description).toContain('plughw:2,0');
  expect(media.plans.at(-1)?.capture.withoutMicrophone?.card).toEqual({ number: 2, usb: { port: '1-1.1', id: '1234:0001', serial: null } });
});

test('one that is plugged in in place of the microphone that was heard is heard, and not the one that was there', async () => {
  const fleet = await startedFleet();
  const both = { ...bareHardware, cameras: [webcam], microphones: [onUsb(1, '1'), onUsb(2, '2')] };
  const { media, world } = await startedAgent(fleet, { hardware: both });
  await fleet.hear('report', ({ source }) => source?.id === webcam.id);
  Object.assign(world, { hardware: { ...both, microphones: [onUsb(2, '2')] }, fingerprint: 'without' });
  media.say(lost);
  await fleet.hear('report', ({ inventory }) => inventory.microphones.length === 1);
  Object.assign(world, { hardware: { ...both, microphones: [onUsb(2, '2'), onUsb(3, '3')] }, fingerprint: 'with a third' });
  const planned = media.nextPlan();
  media.say({ kind: 'no-signal', since, reason: 'a moment of none' });
  media.say(lost);
  await planned;
  expect(media.plans.at(-1)?.capture.description).toContain('plughw:3,0');
});

test('a microphone is looked for when it is lost, so that one that comes in its place is known to be new', async () => {
  const clock = manualClock();
  const { media, world } = await startedAgent(null, {
    clock,
    hardware: { ...bareHardware, cameras: [webcam], microphones: [onUsb(1, '1')] },
  });
  expect(media.plans.at(-1)?.capture.description).toContain('plughw:1,0');
  Object.assign(world, { hardware: { ...bareHardware, cameras: [webcam] }, fingerprint: 'without' });
  media.say(lost);
  await clock.advance(100);
  Object.assign(world, { hardware: { ...bareHardware, cameras: [webcam], microphones: [onUsb(2, '2')] }, fingerprint: 'with another' });
  await clock.advance(15_000);
  expect(media.plans.at(-1)?.capture.description).toContain('plughw:2,0');
});

test('an agent that is started without the microphone that was heard takes what is there', async () => {
  const fleet = await startedFleet();
  const settings = { AV_AUDIO_DEVICE: 'usb-1-audio-0' };
  const both = { ...bareHardware, cameras: [webcam], microphones: [onUsb(1, '1'), onUsb(2, '2')] };
  const first = await startedAgent(fleet, { hardware: both, settings });
  await fleet.hear('report', ({ source }) => source?.id === webcam.id);
  await first.agent.stop();
  const hardware = { ...both, microphones: [onUsb(2, '2')] };
  const second = await startedAgent(fleet, { directory: first.stateDirectory, hardware, settings });
  expect(second.media.plans.at(-1)?.capture.description).toContain('plughw:2,0');
});

test('another camera never takes the place of the one on air: not when that is pulled out, and not when the agent starts anew meanwhile', async () => {
  const other = { ...webcam, id: 'usb-1-2-webcam', path: '/dev/video4' };
  const fleet = await startedFleet();
  const first = await startedAgent(fleet, { hardware: { ...bareHardware, cameras: [webcam, other] } });
  await fleet.hear('report', ({ source }) => source?.id === webcam.id);
  first.world.hardware = { ...bareHardware, cameras: [other] };
  first.world.fingerprint = 'one of two';
  first.media.say({ kind: 'no-signal', since, reason: 'the device is gone' });
  const { body } = await fleet.hear('report', ({ inventory }) => inventory.cameras.length === 1);
  expect(body).toMatchObject({ source: { kind: 'camera', id: webcam.id }, media: { kind: 'no-signal' } });
  const [plan] = first.media.plans;
  expect(new Set(first.media.plans.map(({ capture }) => JSON.stringify(capture))).size).toBe(1);
  await first.agent.stop();

  const second = await startedAgent(fleet, { directory: first.stateDirectory, hardware: first.world.hardware });
  expect(second.media.plans.map(({ capture }) => capture)).toEqual([plan?.capture]);
  second.world.hardware = { ...bareHardware, cameras: [other, { ...webcam, path: '/dev/video2' }] };
  second.world.fingerprint = 'both';
  const planned = second.media.nextPlan();
  second.media.say({ kind: 'no-signal', since, reason: 'the device is gone' });
  await planned;
  expect(second.media.plans.at(-1)?.capture).toMatchObject({ source: { id: webcam.id }, devicePath: '/dev/video2' });
});

test('a camera that is plugged in in place of the one on air waits for that one, and is then on air', async () => {
  const other = { ...webcam, id: 'usb-1-2-webcam', path: '/dev/video4' };
  const fleet = await startedFleet();
  const { media, world } = await startedAgent(fleet, { hardware: { ...bareHardware, cameras: [webcam] } });
  await fleet.hear('report', ({ source }) => source?.id === webcam.id);
  Object.assign(world, { hardware: bareHardware, fingerprint: 'none' });
  media.say({ kind: 'no-signal', since, reason: 'the device is gone' });
  await fleet.hear('report', ({ inventory }) => inventory.cameras.length === 0);
  Object.assign(world, { hardware: { ...bareHardware, cameras: [other] }, fingerprint: 'another' });
  media.say({ kind: 'failed', since, reason: 'the device is gone' });
  const { body } = await fleet.hear('report', ({ inventory }) => inventory.cameras[0]?.id === other.id);
  expect(body.source?.id).toBe(webcam.id);
  await fleet.hear('report', ({ source }) => source?.id === other.id);
});

test('a spare camera that is plugged in under a test picture is on air when that is taken back', async () => {
  const spare = { ...webcam, id: 'usb-1-2-webcam', path: '/dev/video4' };
  const fleet = await startedFleet();
  const { media, world } = await startedAgent(fleet, { hardware: { ...bareHardware, cameras: [webcam] } });
  const { deviceId } = await fleet.hear('report', ({ source }) => source?.id === webcam.id);
  Object.assign(world, { hardware: bareHardware, fingerprint: 'none' });
  media.say({ kind: 'no-signal', since, reason: 'the device is gone' });
  await fleet.hear('report', ({ inventory }) => inventory.cameras.length === 0);
  await fleet.send(deviceId, 'desired', desired(1, { AV_VIDEO_SOURCE: 'test' }));
  await fleet.hear('report', ({ source }) => source?.kind === 'test');
  Object.assign(world, { hardware: { ...bareHardware, cameras: [spare] }, fingerprint: 'spare' });
  media.say({ kind: 'no-signal', since, reason: 'a moment of none' });
  media.say({ kind: 'running', since });
  await fleet.hear('report', ({ inventory }) => inventory.cameras[0]?.id === spare.id);
  await fleet.send(deviceId, 'desired', desired(2, {}, 'b'));
  await fleet.hear('report', ({ appliedRevision }) => appliedRevision === 2);
  media.say({ kind: 'no-signal', since, reason: 'the device is gone' });
  await fleet.hear('report', ({ source }) => source?.id === spare.id);
});

test('a camera that the media host had back before anybody looked is missed anew, and what came beside it does not take its place', async () => {
  const other: CameraFact = {
    ...webcam,
    id: 'usb-1-2-webcam',
    usb: { id: '0000:0009', serial: null, port: '1-2', place: '0000:01:00.0-2', speedMbps: 480 },
  };
  const clock = manualClock();
  const { media, world } = await startedAgent(null, { clock, hardware: { ...bareHardware, cameras: [webcam] } });
  const see = async (cameras: readonly CameraFact[], kind: 'running' | 'no-signal') => {
    Object.assign(world, { hardware: { ...bareHardware, cameras }, fingerprint: JSON.stringify(cameras) });
    media.say(kind === 'running' ? { kind, since } : { kind, since, reason: 'the device is gone' });
    await clock.advance(2000);
  };
  await see([], 'no-signal');
  await see([webcam], 'running');
  await see([other], 'no-signal');
  expect(new Set(media.plans.map(({ capture }) => capture.source.id))).toEqual(new Set([webcam.id]));
});
