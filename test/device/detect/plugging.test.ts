/**
 * Orders of plugging: a made-up machine numbers nodes and sound cards as the kernel does (the lowest number that is free) and
 * links by id as udev does (one link a model and serial number, to the one that came last). Whatever the order, each camera
 * keeps its name and its own microphone.
 */
import { describe, expect, test } from 'vitest';
import { detectHardware } from '#device/detect/detect.ts';
import type { DetectedHardware } from '#device/detect/facts.ts';
import { chooseAudio } from '#device/plan/audio-source.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { resolveProfile } from '#device/profile/resolve.ts';
import { chooseVideo } from '#device/profile/video-source.ts';
import { resolveSettings } from '#device/settings/levels.ts';
import { fixture } from './fixture.ts';
import { type MadeUpMachine, toolsOf } from './made-up-machine.ts';

const profiles = await loadProfiles();

type Webcam = { readonly socket: string; readonly id: string; readonly serial: string; readonly listing: string };

/** Sockets of a Raspberry Pi 4: its USB 2 ports. */
const sockets = ['1.1', '1.2', '1.3'];
const listings = { '046d:0825': fixture('v4l2-ctl-c270.made-up.txt'), '046d:082d': fixture('v4l2-ctl-c920.made-up.txt') };
const metadata = fixture('v4l2-ctl-c270-metadata.made-up.txt');

/** What is plugged in, with the numbers that it got. */
class Machine {
  readonly #webcams = new Map<Webcam, { readonly node: number; readonly card: number }>();
  readonly #links = new Map<string, number>();
  /** The bus has another number after some boots. */
  bus = 1;

  plug(webcam: Webcam): void {
    const plugged = [...this.#webcams.values()];
    const free = (taken: readonly number[]) => [0, 1, 2, 3, 4, 5, 6, 7].find((number) => !taken.includes(number)) ?? 8;
    const node = free(plugged.flatMap(({ node }) => [node, node + 1]));
    this.#webcams.set(webcam, { node, card: free(plugged.map(({ card }) => card)) });
    this.#links.set(`usb-${webcam.id}-${webcam.serial}-video-index0`, node);
  }

  unplug(webcam: Webcam): void {
    const gone = this.#webcams.get(webcam);
    this.#webcams.delete(webcam);
    const link = `usb-${webcam.id}-${webcam.serial}-video-index0`;
    if (this.#links.get(link) === gone?.node) this.#links.delete(link);
  }

  card(webcam: Webcam): number | undefined {
    return this.#webcams.get(webcam)?.card;
  }

  node(webcam: Webcam): number | undefined {
    return this.#webcams.get(webcam)?.node;
  }

  facts(): MadeUpMachine {
    const files: Record<string, string> = {};
    const links: Record<string, string> = {};
    const programs: Record<string, string> = {};
    const cards: string[] = [];
    const captures: string[] = [];
    for (const [{ socket, id, serial, listing }, { node, card }] of this.#webcams) {
      const port = `/sys/devices/platform/scb/0000:01:00.0/usb${this.bus}/${this.bus}-1/${this.bus}-${socket}`;
      const [vendor = '', product = ''] = id.split(':');
      Object.assign(files, { [`${port}/idVendor`]: vendor, [`${port}/idProduct`]: product, [`${port}/serial`]: serial });
      for (const [index, name] of [`video${node}`, `video${node + 1}`].entries()) {
        const directory = `/sys/class/video4linux/${name}`;
        Object.assign(files, { [`${directory}/name`]: 'Webcam\n', [`${directory}/index`]: `${index}\n` });
        links[`${directory}/device`] = `${port}/${this.bus}-${socket}:1.0`;
        links[`${directory}/device/driver`] = '/sys/bus/usb/drivers/uvcvideo';
        programs[`v4l2-ctl --device /dev/${name} --info --list-formats-ext`] = index === 0 ? listing : metadata;
      }
      links[`/sys/class/sound/card${card}/device`] = `${port}/${this.bus}-${socket}:1.2`;
      cards.push(` ${card} [Webcam${card === 0 ? '' : `_${card}`}       ]: USB-Audio - Webcam`);
      captures.push(`0${card}-00: USB Audio : USB Audio : capture 1`);
    }
    for (const [name, node] of this.#links) links[`/dev/v4l/by-id/${name}`] = `/dev/video${node}`;
    files['/proc/asound/cards'] = `${cards.join('\n')}\n`;
    files['/proc/asound/pcm'] = `${captures.join('\n')}\n`;
    return { architecture: 'aarch64', files, links, programs };
  }
}

/** A small generator of numbers with a seed (mulberry32): a failing order can be run again. */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function soundOf(hardware: DetectedHardware, cameraId: string): number | null {
  const settings = resolveSettings({ device: { AV_VIDEO_SOURCE: cameraId } });
  const video = chooseVideo(settings.AV_VIDEO_SOURCE, hardware);
  const audio = chooseAudio(settings, hardware, resolveProfile(hardware, profiles), video);
  return audio.kind === 'microphone' ? audio.microphone.card : null;
}

const webcams = (serials: readonly [string, string]): readonly Webcam[] => [
  { socket: '1.1', id: '046d:0825', serial: serials[0], listing: listings['046d:0825'] },
  { socket: '1.2', id: '046d:0825', serial: serials[1], listing: listings['046d:0825'] },
  { socket: '1.3', id: '046d:082d', serial: 'C9200001', listing: listings['046d:082d'] },
];

describe.each([
  ['no serial number', ['', '']],
  ['the same serial number', ['A1B2C3D0', 'A1B2C3D0']],
  ['a serial number of its own each', ['A1B2C3D0', 'A1B2C3D9']],
] as const)('two webcams of one model with %s, and a third', (_name, serials) => {
  const all = webcams(serials);
  const nameOf = (webcam: Webcam) =>
    `usb-${webcam.id.replace(':', '-')}${webcam.serial === '' ? '' : `-${webcam.serial}`}-0000_01_00.0-${webcam.socket}`;

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('keep name and microphone through 40 steps of plugging (order %i)', async (seed) => {
    const random = numbersFrom(seed);
    const machine = new Machine();
    const plugged = new Set<Webcam>();
    for (let step = 0; step < 40; step += 1) {
      const webcam = all[Math.floor(random() * all.length)];
      if (webcam === undefined) throw new Error('expected a webcam');
      if (plugged.delete(webcam)) machine.unplug(webcam);
      else {
        plugged.add(webcam);
        machine.plug(webcam);
      }
      if (random() < 0.2) machine.bus = machine.bus === 1 ? 3 : 1;
      const hardware = await detectHardware(toolsOf(machine.facts()));
      const present = all.filter((candidate) => plugged.has(candidate));
      expect(hardware.cameras.map(({ id, path }) => [id, path])).toEqual(
        present.map((candidate) => [nameOf(candidate), `/dev/video${machine.node(candidate)}`]),
      );
      expect(present.map((candidate) => soundOf(hardware, nameOf(candidate)))).toEqual(present.map((candidate) => machine.card(candidate)));
      expect(hardware.microphones.map(({ id, cameraId }) => [id, cameraId])).toEqual(
        present.map((candidate) => [`${nameOf(candidate)}-audio-0`, nameOf(candidate)]),
      );
    }
  });
});

test('a link by id that could be either of two webcams means the same one in each order', async () => {
  const [first, second] = webcams(['', '']);
  if (first === undefined || second === undefined) throw new Error('expected two webcams');
  const chosen = await Promise.all(
    [
      [first, second],
      [second, first],
    ].map(async (order) => {
      const machine = new Machine();
      for (const webcam of order) machine.plug(webcam);
      const hardware = await detectHardware(toolsOf(machine.facts()));
      return chooseVideo({ value: '/dev/v4l/by-id/usb-046d:0825--video-index0', level: 'environment' }, hardware);
    }),
  );
  const expected = { kind: 'camera', camera: { id: 'usb-046d-0825-0000_01_00.0-1.1' } };
  expect(chosen).toMatchObject([expected, expected]);
});

test.each([
  [
    'with a serial number of its own is found in another socket',
    'A1B2C3D0',
    { kind: 'camera', camera: { id: 'usb-046d-0825-A1B2C3D0-0000_01_00.0-1.2' } },
  ],
  ['without one is not', '', { kind: 'missing' }],
  ['with one that every such device has is not', '200901010001', { kind: 'missing' }],
  ['with one that every such device has is not', 'SN0001', { kind: 'missing' }],
])('a chosen webcam %s (%s)', async (_name, serial, expected) => {
  const [webcam] = webcams([serial, '']);
  if (webcam === undefined) throw new Error('expected a webcam');
  const detect = async (socket: string) => {
    const machine = new Machine();
    machine.plug({ ...webcam, socket });
    return await detectHardware(toolsOf(machine.facts()));
  };
  const [before, after] = await Promise.all(sockets.slice(0, 2).map(detect));
  const id = before?.cameras[0]?.id ?? '';
  expect(after === undefined ? null : chooseVideo({ value: id, level: 'device' }, after)).toMatchObject(expected);
});
