/** Which camera has the place on air, kept until the machine boots anew: an agent that is started again while it is away does not take another. */
import { type Static, Type } from 'typebox';
import type { CameraPlace } from '#device/detect/camera-place.ts';
import { maximumBystanders } from '#device/detect/place.ts';
import { BootMemory, type BootMemoryOptions } from '#device/state/boot-memory.ts';
import { stateFile } from '#device/state/state-directory.ts';

const Text = Type.String({ maxLength: 1000 });
const TextOrNull = Type.Union([Text, Type.Null()]);
const Usb = Type.Union([
  Type.Object({
    id: Text,
    serial: TextOrNull,
    port: Text,
    place: Text,
    speedMbps: Type.Union([Type.Number(), Type.Null()]),
  }),
  Type.Null(),
]);
const Mode = Type.Object({
  pixelFormat: Text,
  width: Type.Integer(),
  height: Type.Integer(),
  smallest: Type.Optional(Type.Object({ width: Type.Integer(), height: Type.Integer() })),
  frameRates: Type.Array(Type.Number(), { maxItems: 1000 }),
});
const Camera = Type.Object({
  id: Text,
  name: Text,
  driver: Text,
  path: Text,
  links: Type.Array(Text, { maxItems: 1000 }),
  kind: Type.Union([Type.Literal('v4l2'), Type.Literal('libcamera')]),
  usb: Usb,
  modes: Type.Array(Mode, { maxItems: 1000 }),
});
const Microphone = Type.Object({
  id: Text,
  name: Text,
  card: Type.Integer(),
  cardId: Text,
  device: Type.Integer(),
  alsaDevice: Text,
  usb: Usb,
  cameraId: TextOrNull,
});
/** As `CameraPlace`. */
const Place = Type.Object({
  wanted: Text,
  camera: Camera,
  microphones: Type.Array(Microphone, { maxItems: 64 }),
  isAway: Type.Boolean(),
  bystanders: Type.Array(Text, { maxItems: maximumBystanders }),
});
const Memory = Type.Object({ bootId: Text, place: Place });
const file = stateFile('camera.json', Memory);

export class CameraMemory extends BootMemory<CameraPlace | null, Static<typeof Memory>> {
  constructor(options: BootMemoryOptions) {
    const kept = {
      file,
      pack: (bootId: string, place: CameraPlace | null) => ({ bootId, place: structuredClone(place) as Static<typeof Place> }),
      unpack: ({ place }: Static<typeof Memory>): CameraPlace | null => place,
      words: { what: 'which camera is on air', consequence: 'an agent that is started again takes the first' },
    };
    super(kept, null, options);
  }
}
