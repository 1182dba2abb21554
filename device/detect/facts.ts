/** What was found on this machine. Facts only: which of them is used, and how, is decided by profile and plan. */

/** Something that could not be found out, and why. Detection never fails as a whole. */
export type DetectionProblem = { readonly subject: string; readonly problem: string };

export type BoardFact = {
  /** The device tree's model, for example "Raspberry Pi 4 Model B Rev 1.5"; null on machines without one. */
  readonly model: string | null;
  /** As `uname -m` says it: x86_64, aarch64, armv7l, armv6l. */
  readonly architecture: string;
};

/** One size of one pixel format that a camera offers, or with `smallest` all sizes from that one to this. */
export type VideoMode = {
  /** V4L2 four-character code: YUYV, MJPG, H264 … */
  readonly pixelFormat: string;
  readonly width: number;
  readonly height: number;
  readonly smallest?: { readonly width: number; readonly height: number };
  /** Frames a second, highest first; empty when the driver does not say, or allows any. */
  readonly frameRates: readonly number[];
};

export type UsbIdentity = {
  /** vendor:product, four hexadecimal digits each. */
  readonly id: string;
  readonly serial: string | null;
  /** The port by kernel name, for example "1-1.4". Buses are numbered anew at each boot. */
  readonly port: string;
  /** The same socket whatever its bus is called today: host controller and ports, for example "0000:01:00.0-1.4". */
  readonly place: string;
  /** What was agreed on with the device: 12, 480, 5000 … Mbit/s; null when the kernel does not say. */
  readonly speedMbps: number | null;
};

export type CameraFact = {
  /**
   * Model, serial number and USB socket: it depends on this camera alone, never on its /dev/video number or on what else is
   * plugged in.
   */
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  /** The node now, for example "/dev/video0"; for libcamera its own name of the camera, empty where that is not known. */
  readonly path: string;
  /** Other names of the same node: its links under /dev/v4l. */
  readonly links: readonly string[];
  readonly kind: 'v4l2' | 'libcamera';
  readonly usb: UsbIdentity | null;
  readonly modes: readonly VideoMode[];
};

export type MicrophoneFact = {
  /** As stable as a camera's: model, serial number and USB socket, else the ALSA card's id. */
  readonly id: string;
  readonly name: string;
  readonly card: number;
  /** ALSA's short word for the card, for example "C270". */
  readonly cardId: string;
  readonly device: number;
  /** hw:CARD,DEVICE by number, right until the next plug. */
  readonly alsaDevice: string;
  readonly usb: UsbIdentity | null;
  /** The camera on the same USB device, if any; also one that cannot be used at present. */
  readonly cameraId: string | null;
};

export type EncoderPropertyKind = 'integer' | 'number' | 'boolean' | 'enum' | 'flags' | 'string' | 'other';

export type EncoderProperty = {
  readonly name: string;
  readonly kind: EncoderPropertyKind;
  readonly writable: boolean;
  /** Whether it may be set while the element plays. */
  readonly live: boolean;
  readonly minimum: number | null;
  readonly maximum: number | null;
  /** The names of an enumeration's or a flag set's values. */
  readonly choices: readonly string[];
};

export type EncoderFact = {
  readonly element: string;
  readonly properties: readonly EncoderProperty[];
  /** Why it does not start here, though the element is there; absent: it starts, or was not needed and not tried. */
  readonly failure?: string;
};

export type DetectedHardware = {
  /** Where video files lie that may be chosen from afar; absent where there is no such folder. */
  readonly mediaDirectory?: string;
  readonly board: BoardFact;
  readonly cameras: readonly CameraFact[];
  readonly microphones: readonly MicrophoneFact[];
  /** Names of the sound cards that record nothing, a screen's for example; absent where they were not looked for. */
  readonly playingCards?: readonly string[];
  /** Encoders of H.264 that this GStreamer has. */
  readonly encoders: readonly EncoderFact[];
  /** Names of all elements that this GStreamer has: some parts of a plan are only there when their element is. */
  readonly elements: ReadonlySet<string>;
  /** For example "1.22.0"; null when GStreamer's tools are missing. */
  readonly gstreamerVersion: string | null;
  readonly problems: readonly DetectionProblem[];
  /** USB names without their sockets that several devices have had at once: for these a serial number tells nothing. */
  readonly sharedNames?: readonly string[];
  /** Which camera has the place on air for that value of AV_VIDEO_SOURCE, be it there or not; absent: none as yet. */
  readonly place?: { readonly wanted: string; readonly cameraId: string };
  /** Which microphone has the place on air for that value of AV_AUDIO_DEVICE, and beside which camera it got it; absent: none as yet. */
  readonly heard?: {
    readonly wanted: string;
    readonly microphone: MicrophoneFact;
    readonly besideCamera: string | null;
    readonly isAway: boolean;
  };
};
