/** Camera and microphone together: one look of an agent after the other, with what goes on air after each. */
import { expect, onTestFinished, test } from 'vitest';
import type { CameraFact, DetectedHardware, MicrophoneFact, UsbIdentity } from '#device/detect/facts.ts';
import { precedenceMs } from '#device/detect/place.ts';
import { usbName } from '#device/detect/usb.ts';
import { MachineKeeper } from '#device/machine-keeper.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { fitSettings } from '#device/settings/prepare.ts';
import { StateDirectory } from '#device/state/state-directory.ts';
import type { SettingValues } from '#protocol/settings.ts';
import { bareHardware, webcam } from '../bare-machine.ts';
import { manualClock } from '../manual-clock.ts';
import { microphone } from '../plan/hardware.ts';
import { quietLog } from '../quiet-log.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const profiles = await loadProfiles();

type Seen = { readonly cameras?: readonly CameraFact[]; readonly microphones?: readonly MicrophoneFact[]; readonly afterMs?: number };

/** An agent's start: what is on air after each look, which comes a minute after the one before where no time is given. */
async function startedKeeper(settings: SettingValues, directory: string, bootId = 'boot-1') {
  let hardware: DetectedHardware = bareHardware;
  const [log, clock] = [quietLog(), manualClock()];
  const state = new StateDirectory(directory, log);
  const keeper = new MachineKeeper({
    detect: async () => hardware,
    profiles,
    configuration: { stateDirectory: directory, fleet: null, settings, boardId: null, logLevel: 'debug', refused: [], unknownNames: [] },
    state,
    clock,
    log,
  });
  onTestFinished(() => state.settled());
  await keeper.load(bootId);
  let cameraId = '';
  const look = async ({ cameras = [], microphones = [], afterMs = 60_000 }: Seen) => {
    await clock.advance(afterMs);
    hardware = { ...bareHardware, cameras, microphones };
    const prepared = fitSettings(null, await keeper.detect());
    keeper.noteOnAir(prepared);
    const { source } = prepared.plan.capture;
    cameraId = source.id;
    const [picture, sound] = [cameras.find(({ id }) => id === source.id), microphones.find(({ id }) => id === prepared.microphone?.id)];
    return [picture?.usb?.port ?? 'card', sound?.usb?.port ?? 'silence'].join(', ');
  };
  return {
    settled: () => state.settled(),
    cameraId: () => cameraId,
    onAir: async (looks: readonly Seen[]) => {
      const shown: string[] = [];
      for (const seen of looks) shown.push(await look(seen));
      return shown;
    },
  };
}

function usbIn(socket: string, serial: string | null, id = '046d:0825'): UsbIdentity {
  return { id, serial, port: `1-${socket}`, place: `0000:01:00.0-${socket}`, speedMbps: 480 };
}

function webcamIn(socket: string, serial: string | null) {
  const usb = usbIn(socket, serial);
  const camera: CameraFact = { ...webcam, id: usbName(usb), usb };
  return { camera, microphone: microphone(1, { id: `${usbName(usb)}-audio-0`, usb, cameraId: camera.id }) };
}

const nothing: Seen = {};

test.each(['by its id', 'hw:1,0', '1', ''].flatMap((chosen) => [null, 'ABC12DEF'].map((serial) => ({ chosen, serial }))))(
  'a webcam is plugged into another socket, its microphone chosen: $chosen (serial number $serial)',
  async ({ chosen, serial }) => {
    const [before, after] = [webcamIn('1', serial), webcamIn('2', serial)];
    const keeper = await startedKeeper(
      { AV_AUDIO_DEVICE: chosen === 'by its id' ? before.microphone.id : chosen },
      await temporaryDirectory(),
    );
    const seen = { cameras: [after.camera], microphones: [after.microphone] };
    const looks = [
      { cameras: [before.camera], microphones: [before.microphone] },
      nothing,
      { microphones: [{ ...after.microphone, cameraId: null }] },
      { ...seen, afterMs: 250 },
      { ...seen, afterMs: precedenceMs },
      { ...seen, afterMs: precedenceMs },
    ];
    const shown = await keeper.onAir(looks);
    expect([shown[0], shown[1], shown.at(-1)]).toEqual(['1-1, 1-1', 'card, silence', '1-2, 1-2']);
  },
);

/** Logitech's Brio has a second node, for infrared; with others the second camera is an interface of its own. */
function pairIn(socket: string, serial: string | null, part: string) {
  const usb = usbIn(socket, serial, '046d:085e');
  const first: CameraFact = { ...webcam, id: usbName(usb), usb };
  return { first, second: { ...first, id: `${first.id}-${part}`, path: '/dev/video2' } };
}

test.each(
  (['neither', 'first', 'second'] as const).flatMap((chosen) =>
    [null, 'A1B2C3D4'].flatMap((serial) => ['index2', '1.2'].map((part) => ({ chosen, serial, part }))),
  ),
)('one device with two cameras is plugged into another socket: $chosen chosen ($serial, $part)', async ({ chosen, serial, part }) => {
  const [before, after] = [pairIn('1.2', serial, part), pairIn('1.3', serial, part)];
  const onAir = chosen === 'neither' ? 'first' : chosen;
  const settings = chosen === 'neither' ? {} : { AV_VIDEO_SOURCE: before[chosen].id };
  const directory = await temporaryDirectory();
  const keeper = await startedKeeper(settings, directory);
  const seen = { cameras: [after.first, after.second] };
  const looks = [{ cameras: [before.first, before.second] }, nothing, seen, { ...seen, afterMs: precedenceMs }];
  const shown = await keeper.onAir(looks);
  expect([shown[0], shown[1], shown.at(-1)]).toEqual(['1-1.2, silence', 'card, silence', '1-1.3, silence']);
  expect(keeper.cameraId()).toBe(after[onAir].id);
  if (serial === null) return;
  await keeper.settled();
  const nextBoot = await startedKeeper(settings, directory, 'boot-2');
  await nextBoot.onAir([seen]);
  expect(nextBoot.cameraId()).toBe(after[onAir].id);
});

test.each(['1-2', 'hw:1,0', ''].flatMap((chosen) => [null, 'ABC12DEF'].map((serial) => ({ chosen, serial }))))(
  'a microphone changes its socket between two looks, chosen: $chosen (serial number $serial)',
  async ({ chosen, serial }) => {
    const [{ camera }, beside] = [webcamIn('1', null), usbIn('4', null, '1234:0002')];
    const [before, after] = ['2', '3'].map((socket) => {
      const usb = usbIn(socket, serial, '1234:0001');
      return microphone(1, { id: `${usbName(usb)}-audio-0`, usb });
    });
    if (before === undefined || after === undefined) throw new Error('expected two sockets');
    const other = microphone(2, { id: `${usbName(beside)}-audio-0`, usb: beside });
    const keeper = await startedKeeper({ AV_AUDIO_DEVICE: chosen === '1-2' ? before.id : chosen }, await temporaryDirectory());
    const seen = { cameras: [camera], microphones: [other, after] };
    const looks = [{ cameras: [camera], microphones: [before] }, seen, { ...seen, afterMs: precedenceMs }, seen];
    expect((await keeper.onAir(looks)).slice(2)).toEqual(['1-1, 1-3', '1-1, 1-3']);
  },
);

test.each(['by its id', ''].flatMap((chosen) => [null, 'ABC12DEF'].map((serial) => ({ chosen, serial }))))(
  'a camera changes its socket while the agent starts anew, chosen: $chosen (serial number $serial)',
  async ({ chosen, serial }) => {
    const [before, after] = [webcamIn('1', serial), webcamIn('2', serial)];
    const settings = { AV_VIDEO_SOURCE: chosen === '' ? '' : before.camera.id };
    const directory = await temporaryDirectory();
    const first = await startedKeeper(settings, directory);
    await first.onAir([{ cameras: [before.camera] }]);
    await first.settled();
    const second = await startedKeeper(settings, directory);
    const seen = { cameras: [after.camera] };
    const shown = await second.onAir([seen, { ...seen, afterMs: precedenceMs }, seen]);
    expect(shown.slice(1)).toEqual(['1-2, silence', '1-2, silence']);
  },
);

test('of two webcams with one serial number that are put elsewhere with their hub, the one that was on air is awaited for a second', async () => {
  const [one, two, oneElsewhere, twoElsewhere] = ['1.1', '1.2', '2.1', '2.2'].map((socket) => webcamIn(socket, 'UC684'));
  if (one === undefined || two === undefined || oneElsewhere === undefined || twoElsewhere === undefined) throw new Error('expected four');
  const seen = (...webcams: readonly (typeof one)[]) => ({
    cameras: webcams.map(({ camera }) => camera),
    microphones: webcams.map((webcam) => webcam.microphone),
  });
  const directory = await temporaryDirectory();
  const first = await startedKeeper({}, directory);
  await first.onAir([seen(one, two)]);
  await first.settled();
  const second = await startedKeeper({}, directory, 'boot-2');
  const both = seen(oneElsewhere, twoElsewhere);
  const looks = [seen(one), nothing, seen(twoElsewhere), { ...both, afterMs: 200 }, { ...both, afterMs: precedenceMs }];
  const away = 'card, silence';
  expect(await second.onAir(looks)).toEqual(['1-1.1, 1-1.1', away, away, away, '1-2.1, 1-2.1']);
});
