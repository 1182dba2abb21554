import { expect, test } from 'vitest';
import { type CameraPlace, lookAt, takePlace } from '#device/detect/camera-place.ts';
import type { CameraFact, DetectedHardware } from '#device/detect/facts.ts';
import { precedenceMs } from '#device/detect/place.ts';
import { chooseVideo } from '#device/profile/video-source.ts';
import { c270, c920, microphone, server, withDevices } from '../plan/hardware.ts';

const own = microphone(1, { cameraId: c270.id });
const apart = microphone(2);
const inSocket = (camera: CameraFact, socket: string, serial: string | null): CameraFact => ({
  ...camera,
  id: `${camera.id}-${socket}`,
  usb: { id: '046d:0825', port: `1-${socket}`, place: `0000:01:00.0-${socket}`, speedMbps: 480, serial },
});

type Seen = { readonly wanted?: string; readonly there: readonly CameraFact[]; readonly afterMs?: number };

/**
 * An agent's looks at one machine after the other, each with what is chosen: who is on air, and whether it is there. Where no time is
 * given they are far apart, and a newcomer is looked at once more when its time has come.
 */
function onAir(looks: readonly Seen[], begin: CameraPlace | null = null) {
  let place = begin;
  let newcomerSinceMs: number | null = null;
  let nowMs = 5000;
  return looks.map(({ wanted = '', there, afterMs }) => {
    nowMs += afterMs ?? 60_000;
    let look = lookAt(withDevices(server, there), place, { nowMs, newcomerSinceMs });
    if (afterMs === undefined && look.newcomerSinceMs !== null) {
      nowMs = look.newcomerSinceMs + precedenceMs;
      look = lookAt(withDevices(server, there), look.place, { nowMs, newcomerSinceMs: look.newcomerSinceMs });
    }
    place = look.place;
    newcomerSinceMs = look.newcomerSinceMs;
    const choice = chooseVideo({ value: wanted === '' ? null : wanted, level: 'device' }, look.hardware);
    if (choice.kind !== 'camera') return choice.kind;
    place = takePlace(wanted, choice.camera, look.hardware, place);
    return there.some(({ id }) => id === choice.camera.id) ? choice.camera.id : `card of ${choice.camera.id}`;
  });
}

const one = inSocket(c270, '1', null);
const two = inSocket(c270, '2', null);
const three = inSocket(c270, '3', null);
const numbered = inSocket(c270, '1', 'A1B2C3D4');
const alike = inSocket(c270, '2', 'A1B2C3D4');

test.each([
  ['none is there at first', [{ there: [] }, { there: [c270] }], ['test', c270.id]],
  ['the first is taken', [{ there: [one, two] }], [one.id]],
  [
    'the one on air goes and comes back',
    [{ there: [one, two] }, { there: [two] }, { there: [two] }, { there: [one, two] }],
    [one.id, `card of ${one.id}`, `card of ${one.id}`, one.id],
  ],
  [
    'both go, and the other one is back first',
    [{ there: [one, two] }, { there: [] }, { there: [two] }, { there: [one, two] }],
    [one.id, `card of ${one.id}`, `card of ${one.id}`, one.id],
  ],
  [
    'another one came while the first was on air',
    [{ there: [two] }, { there: [c920] }, { there: [c920] }],
    [two.id, `card of ${two.id}`, `card of ${two.id}`],
  ],
  [
    'it has another socket at the first look without it, and another make is there as well',
    [{ there: [two] }, { there: [c920, one] }, { there: [c920] }, { there: [c920, one] }],
    [two.id, one.id, `card of ${one.id}`, one.id],
  ],
  [
    'two of its make are there at the first look without it',
    [{ there: [two] }, { there: [one, three] }, { there: [one] }],
    [two.id, `card of ${two.id}`, `card of ${two.id}`],
  ],
  [
    'one of its make that was beside it is there at the first look without it',
    [{ there: [two, one] }, { wanted: two.id, there: [two, one] }, { wanted: two.id, there: [one] }],
    [two.id, two.id, `card of ${two.id}`],
  ],
  ['one that would be the first comes', [{ there: [two] }, { there: [one, two] }], [two.id, two.id]],
  [
    'a third is plugged in in its stead',
    [{ there: [one, c920] }, { there: [c920] }, { there: [c920, two] }, { there: [one, c920, two] }],
    [one.id, `card of ${one.id}`, two.id, two.id],
  ],
  [
    'it wanders from socket to socket and back',
    [{ there: [one] }, { there: [] }, { there: [two] }, { there: [] }, { there: [one] }, { there: [] }, { there: [two] }],
    [one.id, `card of ${one.id}`, two.id, `card of ${two.id}`, one.id, `card of ${one.id}`, two.id],
  ],
  [
    'chosen by its id, it goes and another make comes',
    [
      { wanted: one.id, there: [one] },
      { wanted: one.id, there: [] },
      { wanted: one.id, there: [c920] },
    ],
    [one.id, `card of ${one.id}`, `card of ${one.id}`],
  ],
  [
    'chosen by its id, it is plugged into another socket',
    [
      { wanted: one.id, there: [one, three] },
      { wanted: one.id, there: [three] },
      { wanted: one.id, there: [two, three] },
    ],
    [one.id, `card of ${one.id}`, two.id],
  ],
  [
    'chosen by its number, it has another one when it is back',
    [
      { wanted: '/dev/video0', there: [one] },
      { wanted: '/dev/video0', there: [{ ...c920, path: '/dev/video0' }] },
      {
        wanted: '/dev/video0',
        there: [
          { ...one, path: '/dev/video4' },
          { ...c920, path: '/dev/video0' },
        ],
      },
    ],
    [one.id, `card of ${one.id}`, one.id],
  ],
  [
    'its serial number tells that it is the one',
    [{ there: [numbered, c920] }, { there: [c920, inSocket(c270, '2', 'A1B2C3D4')] }],
    [numbered.id, two.id],
  ],
  [
    'one with the same serial number was beside it',
    [{ there: [numbered, alike] }, { there: [alike] }, { there: [alike] }, { there: [alike, inSocket(c270, '3', 'A1B2C3D4')] }],
    [numbered.id, `card of ${numbered.id}`, `card of ${numbered.id}`, three.id],
  ],
  [
    'somebody chooses another while it is away',
    [{ there: [one, two] }, { there: [two] }, { wanted: two.id, there: [two] }],
    [one.id, `card of ${one.id}`, two.id],
  ],
  [
    'the choice is taken back',
    [{ there: [one, two] }, { wanted: two.id, there: [one, two] }, { there: [one, two] }],
    [one.id, two.id, one.id],
  ],
  [
    'a hub is put back, and one that nobody has seen is there first',
    [
      { there: [one] },
      { there: [] },
      { there: [c920], afterMs: 5000 },
      { there: [c920, two], afterMs: precedenceMs - 300 },
      { there: [c920, one, two], afterMs: 200 },
      { there: [c920, two], afterMs: 60_000 },
      { there: [c920, two], afterMs: 60_000 },
    ],
    [one.id, `card of ${one.id}`, `card of ${one.id}`, `card of ${one.id}`, one.id, `card of ${one.id}`, `card of ${one.id}`],
  ],
  [
    'one that nobody has seen is there, and the one before does not come in its time',
    [{ there: [one] }, { there: [] }, { there: [c920], afterMs: 5000 }, { there: [c920], afterMs: precedenceMs }, { there: [c920, one] }],
    [one.id, `card of ${one.id}`, `card of ${one.id}`, c920.id, c920.id],
  ],
  [
    'a newcomer goes again, and another one has its own time to wait',
    [
      { there: [one] },
      { there: [] },
      { there: [c920], afterMs: 5000 },
      { there: [], afterMs: 900 },
      { there: [two], afterMs: 900 },
      { there: [two], afterMs: precedenceMs },
    ],
    [one.id, `card of ${one.id}`, `card of ${one.id}`, `card of ${one.id}`, `card of ${one.id}`, two.id],
  ],
  [
    'chosen by its id, one of its make on the same hub is there first',
    [
      { wanted: one.id, there: [one] },
      { wanted: one.id, there: [] },
      { wanted: one.id, there: [two], afterMs: 5000 },
      { wanted: one.id, there: [one, two], afterMs: 300 },
    ],
    [one.id, `card of ${one.id}`, `card of ${one.id}`, one.id],
  ],
  [
    'one that was plugged in beside it is there first',
    [{ there: [one] }, { there: [one, c920] }, { there: [] }, { there: [c920] }, { there: [c920] }, { there: [c920, one] }],
    [one.id, one.id, `card of ${one.id}`, `card of ${one.id}`, `card of ${one.id}`, one.id],
  ],
  ['a chosen one was never there', [{ wanted: 'usb-gone', there: [one] }], ['missing']],
])('on air when %s', (_name, looks, expected) => {
  expect(onAir(looks)).toEqual(expected);
});

const both = withDevices(server, [c270], [apart, own]);

test.each<[string, DetectedHardware, DetectedHardware['microphones']]>([
  ['is gone with its microphone', withDevices(server, [], [apart]), [apart, own]],
  ['is gone and its microphone is left', withDevices(server, [], [{ ...own, cameraId: null }]), [own]],
  ['and both microphones are gone', server, [own]],
  ['is gone and another is there', withDevices(server, [c920], [apart]), [apart, own]],
])('a camera that %s is planned for with its own sound', (_name, found, microphones) => {
  const place = takePlace('', c270, both, null);
  const { hardware } = lookAt(found, place, { nowMs: 0, newcomerSinceMs: null });
  expect(hardware.cameras).toContain(c270);
  expect(hardware.microphones).toEqual(microphones);
});

test('what is known of bystanders is bounded', () => {
  const many = Array.from({ length: 200 }, (_, index) => inSocket(c270, `${index}`, null));
  const place = many.reduce((before, camera) => takePlace('', camera, withDevices(server, many), before), takePlace('', one, both, null));
  expect(place.bystanders).toHaveLength(64);
});
