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
  const look = async ({ cameras = [], microphones = [], afterMs = 60_000 }: Seen) => {
    await clock.advance(afterMs);
    hardware = { ...bareHardware, cameras, microphones };
    const prepared = fitSettings(null, await keeper.detect());
    keeper.noteOnAir(prepared);
    const { source } = prepared.plan.capture;
    const [picture, sound] = [cameras.find(({ id }) => id === source.id), microphones.find(({ id }) => id === prepared.microphone?.id)];
    return [picture?.usb?.port ?? 'card', sound?.usb?.port ?? 'silence'].join(', ');
  };
  return {
    settled: () => state.settled(),
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
