import { expect, test } from 'vitest';
import type { MicrophoneFact, UsbIdentity } from '#device/detect/facts.ts';
import { lookForMicrophone, type MicrophonePlace, takeMicrophonePlace } from '#device/detect/microphone-place.ts';
import { precedenceMs } from '#device/detect/place.ts';
import { usbName } from '#device/detect/usb.ts';
import { microphone } from '../plan/hardware.ts';

function plugged(model: string, socket: string, more: Partial<MicrophoneFact> = {}): MicrophoneFact {
  const usb: UsbIdentity = { id: `1234:${model}`, serial: null, port: `1-${socket}`, place: `0000:01:00.0-${socket}`, speedMbps: 12 };
  return microphone(1, { id: `${usbName(usb)}-audio-0`, usb, ...more });
}

type Seen = { readonly there: readonly MicrophoneFact[]; readonly afterMs?: number };

/** One look after the other; the first one says who is heard. Where no time is given, a newcomer is looked at once more when its time has come. */
function heardIn(wanted: string, first: readonly [MicrophoneFact, ...MicrophoneFact[]], looks: readonly Seen[]) {
  let place: MicrophonePlace = takeMicrophonePlace({ wanted, besideCamera: null, microphone: first[0] }, first, null);
  let newcomerSinceMs: number | null = null;
  let nowMs = 5000;
  return looks.map(({ there, afterMs }) => {
    nowMs += afterMs ?? 60_000;
    let look = lookForMicrophone(there, place, { nowMs, newcomerSinceMs });
    if (afterMs === undefined && look.newcomerSinceMs !== null) {
      nowMs = look.newcomerSinceMs + precedenceMs;
      look = lookForMicrophone(there, look.place, { nowMs, newcomerSinceMs: look.newcomerSinceMs });
    }
    const { microphone: heard, isAway } = look.heard;
    place = takeMicrophonePlace({ wanted, besideCamera: null, microphone: heard }, there, look.place);
    newcomerSinceMs = look.newcomerSinceMs;
    return isAway ? `silence for ${heard.id}` : `${heard.id} at ${heard.alsaDevice}`;
  });
}

const mixer = plugged('0001', '1');
const elsewhere = plugged('0001', '3');
const other = plugged('0002', '2', { card: 2, alsaDevice: 'hw:2,0' });
const third = plugged('0003', '4', { card: 3, alsaDevice: 'hw:3,0' });
const ofCamera = plugged('0004', '5', { cameraId: 'usb-camera' });
const secondInput = plugged('0001', '3', { device: 1, id: `${elsewhere.id}-1` });

const [onMixer, noMixer] = [`${mixer.id} at hw:1,0`, `silence for ${mixer.id}`];

test.each<[string, string, readonly [MicrophoneFact, ...MicrophoneFact[]], readonly Seen[], readonly string[]]>([
  [
    'goes and comes back',
    '',
    [mixer, other],
    [{ there: [other] }, { there: [other] }, { there: [mixer, other] }],
    [noMixer, noMixer, onMixer],
  ],
  ['goes with all, and the other is back first', '', [mixer, other], [{ there: [] }, { there: [other] }], [noMixer, noMixer]],
  [
    'is back under another number, and the other has its own',
    '1',
    [mixer, other],
    [
      { there: [] },
      {
        there: [
          { ...mixer, card: 2, alsaDevice: 'hw:2,0' },
          { ...other, card: 1, alsaDevice: 'hw:1,0' },
        ],
      },
    ],
    [noMixer, `${mixer.id} at hw:2,0`],
  ],
  [
    'is plugged into another socket',
    '',
    [mixer, other],
    [{ there: [other] }, { there: [other, elsewhere] }],
    [noMixer, `${elsewhere.id} at hw:1,0`],
  ],
  [
    'is chosen, and plugged into another socket',
    mixer.id,
    [mixer, other],
    [{ there: [other] }, { there: [elsewhere, other] }],
    [noMixer, `${elsewhere.id} at hw:1,0`],
  ],
  [
    'is replaced by one that nobody has seen',
    '',
    [mixer, other],
    [{ there: [other] }, { there: [other, third] }],
    [noMixer, `${third.id} at hw:3,0`],
  ],
  ['is chosen, and another make is plugged in', mixer.id, [mixer], [{ there: [] }, { there: [third] }], [noMixer, noMixer]],
  ['is away, and a camera is plugged in', '', [mixer], [{ there: [] }, { there: [ofCamera] }], [noMixer, noMixer]],
  ['is away, and another input comes', '', [mixer], [{ there: [] }, { there: [secondInput] }], [noMixer, noMixer]],
  [
    'is back after another one on the same hub',
    '',
    [mixer],
    [{ there: [] }, { there: [third], afterMs: 5000 }, { there: [mixer, third], afterMs: 300 }],
    [noMixer, noMixer, onMixer],
  ],
])('the microphone that is heard %s', (_name, wanted, first, looks, expected) => {
  expect(heardIn(wanted, first, looks)).toEqual(expected);
});
