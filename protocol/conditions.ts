/**
 * Health conditions, registered once: what a code means, how grave it is, what to do about it, and which condition explains
 * it (a dependent condition is not shown as an alarm of its own while its cause is present).
 */
import { type Static, Type } from 'typebox';
import { Reason, Timestamp } from '#protocol/identifiers.ts';

export type ConditionDefinition = {
  readonly title: string;
  readonly severity: 'info' | 'warning' | 'critical';
  readonly advice: string;
  /** How long it must last before it is shown, in milliseconds. */
  readonly holdMs: number;
  readonly dependsOn: readonly string[];
};

export const conditionDefinitions = {
  'pipeline-failed': {
    title: 'Pipeline failed',
    severity: 'critical',
    advice: 'The device tries again by itself. If it goes on, look at the reason, and at the camera’s cable.',
    holdMs: 0,
    dependsOn: [],
  },
  'no-signal': {
    title: 'No signal: card on air',
    severity: 'critical',
    advice:
      'The camera gives no picture. Look at its cable and plug it in again; if a video file plays, do what the detail says. The picture comes back by itself.',
    holdMs: 0,
    dependsOn: [],
  },
  'video-file-fault': {
    title: 'Video file does not play as it should',
    severity: 'warning',
    advice:
      'The detail says what is wrong. A file that breaks off was not copied whole; one that is too large for the board has to be made smaller.',
    holdMs: 0,
    dependsOn: [],
  },
  'camera-unstable': {
    title: 'Camera comes and goes',
    severity: 'warning',
    advice: 'It drops off the bus again and again: try another cable, a stronger power supply, or a port without a hub in between.',
    holdMs: 0,
    dependsOn: ['under-voltage'],
  },
  'output-down': {
    title: 'Stream target unreachable',
    severity: 'critical',
    advice: 'The device keeps trying. Check the stream address and key, and the venue’s network.',
    holdMs: 3000,
    dependsOn: ['pipeline-failed', 'relay-down'],
  },
  'test-picture': {
    title: 'No camera: test picture on air',
    severity: 'info',
    advice: 'Plug in a camera, or choose one in AV_VIDEO_SOURCE.',
    holdMs: 0,
    dependsOn: [],
  },
  'outside-schedule': {
    title: 'Outside its streaming hours',
    severity: 'info',
    advice: 'Nothing to do: the stream starts by itself. The hours stand in AV_STREAM_SCHEDULE.',
    holdMs: 0,
    dependsOn: ['clock-not-set'],
  },
  'stopped-by-command': {
    title: 'Streaming stopped by command',
    severity: 'info',
    advice: 'Nothing is wrong: somebody stopped it. The command Start streaming puts it on air again.',
    holdMs: 0,
    dependsOn: [],
  },
  'clock-not-set': {
    title: 'The device does not know the time',
    severity: 'warning',
    advice: 'Give it a network that reaches a time server, or set its clock. Until then schedules neither start nor stop anything.',
    holdMs: 10_000,
    dependsOn: [],
  },
  'no-microphone': {
    title: 'No microphone',
    severity: 'warning',
    advice: 'Mend what the detail names; plug in a microphone, or set AV_DISABLE_AUDIO if no sound is wanted.',
    holdMs: 0,
    dependsOn: ['pipeline-failed', 'test-picture', 'no-signal'],
  },
  'audio-silent': {
    title: 'No sound',
    severity: 'warning',
    advice: 'Look for a mute switch on the microphone or the mixer, a loose cable, or a level turned down.',
    holdMs: 15_000,
    dependsOn: ['pipeline-failed', 'no-signal', 'no-microphone'],
  },
  'audio-clipping': {
    title: 'Sound too loud',
    severity: 'warning',
    advice: 'Turn the microphone or the mixer down until the level stays below -6 dBFS.',
    holdMs: 10_000,
    dependsOn: ['pipeline-failed', 'no-signal'],
  },
  'picture-black': {
    title: 'Picture black',
    severity: 'warning',
    advice: 'Take the lens cap off, switch the light on, or look at what feeds the camera.',
    holdMs: 10_000,
    dependsOn: ['pipeline-failed', 'no-signal'],
  },
  'picture-frozen': {
    title: 'Picture stands still',
    severity: 'warning',
    advice: 'Unplug the camera and plug it in again, or restart the pipeline. Slides that come over an HDMI grabber stand still by nature.',
    holdMs: 30_000,
    dependsOn: ['pipeline-failed', 'no-signal', 'picture-black'],
  },
  'picture-unseen': {
    title: 'Picture is not looked at',
    severity: 'info',
    advice:
      'The camera encodes by itself, and the device cannot decode it: a black or frozen picture would not be told, and there is no preview. Install gstreamer1.0-plugins-bad (openh264dec).',
    holdMs: 30_000,
    dependsOn: ['pipeline-failed', 'no-signal'],
  },
  'audio-video-drift': {
    title: 'Sound and picture move apart',
    severity: 'warning',
    advice: 'Restart the pipeline to bring them together. If it comes back, the sound comes by a clock that is far wrong.',
    holdMs: 0,
    dependsOn: ['pipeline-failed', 'no-signal'],
  },
  'frame-rate-low': {
    title: 'Fewer frames than asked for',
    severity: 'warning',
    advice: 'The board or the camera is too slow for this size and rate: lower AV_VIDEO_WIDTH and AV_VIDEO_HEIGHT or AV_VIDEO_FRAMERATE.',
    holdMs: 10_000,
    dependsOn: ['pipeline-failed', 'under-voltage', 'throttled', 'board-hot', 'memory-low'],
  },
  'mode-not-met': {
    title: 'Smaller or slower picture than asked for',
    severity: 'warning',
    advice:
      'The camera or the board cannot do what the settings ask: ask for the size and rate that are given, or use another camera or board.',
    holdMs: 0,
    dependsOn: ['test-picture', 'no-signal'],
  },
  'uplink-slow': {
    title: 'Bitrate lowered for a slow uplink',
    severity: 'warning',
    advice: 'The stream goes on with less quality and recovers by itself. A cable instead of Wi-Fi, or a lower AV_VIDEO_BITRATE, mends it.',
    holdMs: 5000,
    dependsOn: ['output-down', 'wifi-weak', 'output-dropping'],
  },
  'output-dropping': {
    title: 'Uplink too slow: pictures are left out',
    severity: 'warning',
    advice: 'Pictures are dropped because the network cannot carry them: lower AV_VIDEO_BITRATE or use a cable.',
    holdMs: 0,
    dependsOn: ['output-down', 'wifi-weak'],
  },
  'settings-refused': {
    title: 'Settings refused',
    severity: 'warning',
    advice: 'The last good settings are in force. Read the reason and change the setting it names.',
    holdMs: 0,
    dependsOn: [],
  },
  'board-hot': {
    title: 'Board hot',
    severity: 'warning',
    advice: 'Give the board air or a heat sink: it slows down above 80 °C.',
    holdMs: 10_000,
    dependsOn: [],
  },
  'under-voltage': {
    title: 'Too little power',
    severity: 'warning',
    advice:
      'The board’s voltage is too low: it slows down and may lose its card. Use the maker’s own power supply and a short, thick cable.',
    holdMs: 0,
    dependsOn: [],
  },
  'power-was-low': {
    title: 'There was too little power',
    severity: 'info',
    advice:
      'At some time since the board was switched on its voltage was too low. Change the power supply or the cable before the next event.',
    holdMs: 0,
    dependsOn: ['under-voltage'],
  },
  throttled: {
    title: 'Board slowed down',
    severity: 'warning',
    advice: 'The firmware holds the processor back, most often because of heat: give the board air or a heat sink.',
    holdMs: 10_000,
    dependsOn: ['under-voltage', 'board-hot'],
  },
  'memory-low': {
    title: 'Memory nearly full',
    severity: 'warning',
    advice: 'Other programs on the device take its memory: end them, or lower AV_VIDEO_WIDTH and AV_VIDEO_HEIGHT.',
    holdMs: 30_000,
    dependsOn: [],
  },
  'wifi-weak': {
    title: 'Weak Wi-Fi',
    severity: 'warning',
    advice: 'Move the device or the access point nearer, use the 5 GHz band, or a cable.',
    holdMs: 30_000,
    dependsOn: [],
  },
  'clock-wrong': {
    title: 'The device’s clock is wrong',
    severity: 'warning',
    advice: 'Schedules and the times in the history go by it. Let the device reach a time server (NTP, port 123).',
    holdMs: 0,
    dependsOn: ['clock-not-set'],
  },
  'disk-unwritable': {
    title: 'Disk cannot be written',
    severity: 'warning',
    advice:
      'The stream goes on, but new settings and events are lost at the next restart. A card that has become read-only is worn out: replace it.',
    holdMs: 0,
    dependsOn: [],
  },
  'card-worn': {
    title: 'Card nearly worn out',
    severity: 'warning',
    advice: 'Copy what you need from it, and replace it before it fails.',
    holdMs: 0,
    dependsOn: ['disk-unwritable'],
  },
  'recording-failed': {
    title: 'Recording does not work',
    severity: 'critical',
    advice:
      'The stream goes on. Look at the disk: it may be gone, read-only or worn out. The recording goes on by itself once it takes files again.',
    holdMs: 3000,
    dependsOn: [],
  },
  'recording-disk-away': {
    title: 'The disk for recordings is away or refuses',
    severity: 'warning',
    advice:
      'AV_RECORD_DIR was on a disk of its own, which is not mounted, or does not take what is written. Recordings go to the device meanwhile, and to that disk by themselves once it takes them. Where no disk is to be there any more, choose another directory.',
    holdMs: 0,
    dependsOn: [],
  },
  'recording-disk-full': {
    title: 'No room for the recording',
    severity: 'critical',
    advice:
      'The stream goes on. Every recording left is protected, or something else fills the disk: make room. The recording goes on by itself.',
    holdMs: 3000,
    dependsOn: [],
  },
  'recording-dropping': {
    title: 'Disk too slow for the recording',
    severity: 'warning',
    advice: 'Parts of the recording are missing because the disk did not take them in time: use a faster card, or lower AV_VIDEO_BITRATE.',
    holdMs: 0,
    dependsOn: ['recording-failed', 'recording-disk-full'],
  },
  'disk-low': {
    title: 'Disk nearly full',
    severity: 'warning',
    advice: 'Free some space on the device.',
    holdMs: 0,
    dependsOn: ['disk-unwritable'],
  },
  'waits-for-approval': {
    title: 'Waits for approval',
    severity: 'warning',
    advice: 'It joined with a token that asks for a person’s word: approve it on its page, or reject it if nobody knows it.',
    holdMs: 0,
    dependsOn: [],
  },
  blocked: {
    title: 'Blocked',
    severity: 'info',
    advice: 'Somebody shut it out: it can neither connect nor stream. It is let in again on its page, with its settings and its history.',
    holdMs: 0,
    dependsOn: [],
  },
  'joined-twice': {
    title: 'Two boards use this device’s identity',
    severity: 'critical',
    advice:
      'Its card was copied: they throw each other off. Give the copy a join token (FLEET_JOIN_TOKEN) and it becomes a device of its own; if the card was moved on purpose, say so on the device’s page.',
    holdMs: 0,
    dependsOn: [],
  },
  'connection-unstable': {
    title: 'Connection comes and goes',
    severity: 'warning',
    advice:
      'The fleet server loses it again and again. Look at its network and its power: weak Wi-Fi, a loose cable, an access point or a power supply that restarts it.',
    holdMs: 0,
    dependsOn: ['joined-twice'],
  },
  'stream-not-arriving': {
    title: 'Stream does not arrive',
    severity: 'critical',
    advice: 'The device says that it streams, and the relay receives nothing. The watchdog restarts the pipeline by itself.',
    holdMs: 0,
    dependsOn: ['relay-down'],
  },
  'relay-down': {
    title: 'The relay it streams to is down',
    severity: 'critical',
    advice: 'Nothing is wrong with the device: it is left alone and streams again by itself. Look at the fleet server that is named.',
    holdMs: 0,
    dependsOn: [],
  },
} as const satisfies Record<string, ConditionDefinition>;

export type ConditionCode = keyof typeof conditionDefinitions;

/** What the fleet server knows by itself, of a device that is away as well; its word counts, whatever the device says. */
const serverConditions: readonly string[] = [
  'waits-for-approval',
  'blocked',
  'joined-twice',
  'connection-unstable',
] satisfies ConditionCode[];

export function isServerCondition(code: string): boolean {
  return serverConditions.includes(code);
}

export function isConditionCode(code: string): code is ConditionCode {
  return Object.hasOwn(conditionDefinitions, code);
}

/** Its cause is among those that are present: that one is shown, and told of. */
export function isExplained(code: string, present: readonly { readonly code: string }[]): boolean {
  const causes: readonly string[] = isConditionCode(code) ? conditionDefinitions[code].dependsOn : [];
  return causes.length > 0 && present.some((other) => causes.includes(other.code));
}

/** A condition that is present. A code that this side does not know is let through. */
export const Condition = Type.Object({
  code: Type.String({ pattern: '^[a-z0-9-]{1,64}$' }),
  since: Timestamp,
  detail: Type.Optional(Reason),
});
export type Condition = Static<typeof Condition>;
