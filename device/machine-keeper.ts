/** What this machine has, as it was seen last, and which camera has the place on air: the machine that settings are planned for. */
import { createHash } from 'node:crypto';
import type { AgentOptions } from '#device/agent-options.ts';
import { environmentOf } from '#device/configuration.ts';
import { lookAt, takePlace } from '#device/detect/camera-place.ts';
import type { DetectedHardware, MicrophoneFact } from '#device/detect/facts.ts';
import { toInventory } from '#device/detect/inventory.ts';
import { inOrderOfComing, inPlaceOf } from '#device/detect/microphone-order.ts';
import { lookForMicrophone, type MicrophonePlace, takeMicrophonePlace } from '#device/detect/microphone-place.ts';
import { type LookTime, precedenceMs } from '#device/detect/place.ts';
import { namesOfSeveral } from '#device/detect/usb.ts';
import { wantedMicrophone } from '#device/plan/audio-source.ts';
import { type ResolvedProfile, resolveProfile } from '#device/profile/resolve.ts';
import { chooseVideo, wantedSource } from '#device/profile/video-source.ts';
import type { Machine, Prepared } from '#device/settings/prepare.ts';
import { CameraMemory } from '#device/state/camera-memory.ts';
import { MicrophoneMemory } from '#device/state/microphone-memory.ts';
import { SharedNamesMemory } from '#device/state/shared-names-memory.ts';

type Inventory = ReturnType<typeof toInventory>;

export type MachineKeeperOptions = Pick<AgentOptions, 'detect' | 'profiles' | 'configuration' | 'state' | 'clock' | 'log'>;

export class MachineKeeper {
  readonly #options: MachineKeeperOptions;
  readonly #cameraMemory: CameraMemory;
  readonly #microphoneMemory: MicrophoneMemory;
  readonly #sharedNames: SharedNamesMemory;
  /** `planned`: with the camera that has the place on air, be it there or not. */
  #seen: { readonly found: DetectedHardware; readonly planned: DetectedHardware; readonly profile: ResolvedProfile } | null = null;
  /** Of cameras and of microphones. */
  #newcomersSinceMs: readonly (number | null)[] = [null, null];
  /** Not kept: an agent that is started again takes what is there then. */
  #microphonePlace: MicrophonePlace | null = null;

  constructor(options: MachineKeeperOptions) {
    this.#options = options;
    this.#cameraMemory = new CameraMemory(options);
    this.#microphoneMemory = new MicrophoneMemory(options);
    this.#sharedNames = new SharedNamesMemory(options);
  }

  /** Which camera had the place before this process, and which microphone came first, within the same boot; whose serial number is no proof. */
  async load(bootId: string): Promise<void> {
    await Promise.all([this.#cameraMemory.load(bootId), this.#microphoneMemory.load(bootId), this.#sharedNames.load()]);
  }

  async detect(): Promise<Machine> {
    const { detect, profiles, configuration, log, clock } = this.#options;
    const detected = await detect(this.#seen?.found ?? null);
    const { microphones, known } = inOrderOfComing(detected.microphones, this.#microphoneMemory.value());
    this.#microphoneMemory.keep(known);
    // Apart: what changes its socket between the two looks is one device all the same.
    const shared = [detected.cameras, microphones].flatMap((seen) => namesOfSeveral(seen.flatMap(({ usb }) => usb ?? [])));
    const found = { ...detected, microphones, sharedNames: this.#sharedNames.learn([...new Set(shared)]) };
    const nowMs = clock.monotonicMs();
    const [cameraSinceMs = null, microphoneSinceMs = null] = this.#newcomersSinceMs;
    const look = lookAt(found, this.#cameraMemory.value(), { nowMs, newcomerSinceMs: cameraSinceMs });
    if (look.place !== null) this.#cameraMemory.keep(look.place);
    const there = microphonesThere(found, look.hardware);
    const { hardware, newcomerSinceMs } = this.#lookForMicrophone(look.hardware, there, { nowMs, newcomerSinceMs: microphoneSinceMs });
    this.#newcomersSinceMs = [look.newcomerSinceMs, newcomerSinceMs];
    const profile = resolveProfile(hardware, profiles);
    if (this.#seen === null) for (const { subject, problem } of found.problems) log.warn(`detection: ${subject}: ${problem}`);
    this.#seen = { found, planned: hardware, profile };
    return { hardware, profile, ...environmentOf(configuration) };
  }

  /** After that time one that was plugged in may take the place of the camera on air; null: none waits for it. */
  placeIsFreeInMs(): number | null {
    const sinceMs = this.#newcomersSinceMs.flatMap((newcomerSinceMs) => newcomerSinceMs ?? []);
    if (sinceMs.length === 0) return null;
    return Math.max(0, Math.min(...sinceMs) + precedenceMs - this.#options.clock.monotonicMs());
  }

  /** What is on air now keeps its place, also while it is away. */
  noteOnAir({ settings, plan, microphone }: Prepared): void {
    if (this.#seen === null) return;
    const { found, planned } = this.#seen;
    const choice = chooseVideo(settings.AV_VIDEO_SOURCE, planned);
    const besideCamera = choice.kind === 'camera' ? choice.camera.id : null;
    const heard = { wanted: wantedMicrophone(settings.AV_AUDIO_DEVICE), besideCamera };
    const there = microphonesThere(found, planned);
    this.#microphonePlace = microphone === null ? null : takeMicrophonePlace({ ...heard, microphone }, there, this.#microphonePlace);
    if (choice.kind !== 'camera' || plan.capture.source.kind !== 'camera') return;
    const wanted = wantedSource(settings.AV_VIDEO_SOURCE);
    this.#cameraMemory.keep(takePlace(wanted, choice.camera, planned, this.#cameraMemory.value()));
  }

  #lookForMicrophone(
    hardware: DetectedHardware,
    there: readonly MicrophoneFact[],
    time: LookTime,
  ): { hardware: DetectedHardware; newcomerSinceMs: number | null } {
    const before = this.#microphonePlace;
    if (before === null) return { hardware, newcomerSinceMs: null };
    const { heard, place, newcomerSinceMs } = lookForMicrophone(there, before, time, hardware.sharedNames);
    this.#microphonePlace = place;
    const known = inPlaceOf(this.#microphoneMemory.value(), before.holder.id, place.holder.id);
    this.#microphoneMemory.keep(known);
    return { hardware: { ...hardware, microphones: inOrderOfComing(hardware.microphones, known).microphones, heard }, newcomerSinceMs };
  }

  /** The one that has the place, at the last look. */
  isCameraAway(): boolean {
    return this.#cameraMemory.value()?.isAway === true;
  }

  isCameraThere(id: string): boolean {
    return this.#seen?.found.cameras.some((camera) => camera.id === id) === true;
  }

  inventory(): Inventory {
    if (this.#seen === null) throw new Error('expected the hardware to be detected before anybody asks for it');
    return toInventory(this.#seen.found, this.#seen.profile);
  }

  inventoryDigest(): string {
    return createHash('sha256').update(JSON.stringify(this.inventory())).digest('hex');
  }

  /** As GStreamer's tools say it; null where they are missing. */
  gstreamerVersion(): string | null {
    return this.#seen?.found.gstreamerVersion ?? null;
  }
}

/** What is planned for has those of a camera that is away as well. */
function microphonesThere(found: DetectedHardware, planned: DetectedHardware): readonly MicrophoneFact[] {
  return planned.microphones.filter(({ id }) => found.microphones.some((there) => there.id === id));
}
