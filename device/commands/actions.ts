/** What each command does, by its kind. The runner (uplink/command-runner.ts) sees to it that each is done once and in time. */
import type { BoardLight } from '#device/commands/board-light.ts';
import type { StillPictureOutcome } from '#device/commands/still-picture.ts';
import type { Check } from '#device/doctor/check.ts';
import { checkLine, summaryLine } from '#device/doctor/check.ts';
import type { ApplyOutcome, PictureOutcome } from '#device/media/media-host-supervisor.ts';
import { type PageWish, pageOf, readRecordings } from '#device/recording/list-recordings.ts';
import { protectRecording, readRecordingDirectory, releaseRecording } from '#device/recording/recording-directory.ts';
import type { Outlet } from '#device/schedule/outlets.ts';
import { errorText } from '#device/state/state-directory.ts';
import type { ActionOutcome, CommandActions, SayProgress } from '#device/uplink/command-runner.ts';
import { identifyBoundsS, logBounds } from '#protocol/commands.ts';

export type ActionsOptions = {
  readonly media: {
    readonly restartCapture: () => Promise<ApplyOutcome>;
    readonly restartHost: () => Promise<ApplyOutcome>;
    readonly picture: () => Promise<PictureOutcome>;
  };
  readonly switchOutlet: (outlet: Outlet, isOn: boolean) => Promise<ApplyOutcome>;
  readonly stillPicture: (flv: Buffer) => Promise<StillPictureOutcome>;
  /** It is sent before what became of the command. */
  readonly sendSnapshot: (jpeg: Buffer) => void;
  readonly recordingDirectory: () => string;
  /** It is the one that stands in for the directory that was chosen. */
  readonly isRecordingDiskAway: () => boolean;
  readonly restartAgent: () => void;
  /** The device’s own environment decides, never the fleet. */
  readonly mayReboot: boolean;
  /** Null, or why the board is not restarted. */
  readonly reboot: () => Promise<string | null>;
  readonly light: Pick<BoardLight, 'blink'>;
  readonly examine: (onCheck: (check: Check) => void) => Promise<readonly Check[]>;
  /** The newest lines now, and the new ones for a while. */
  readonly sendLogs: (lines: number) => void;
  /** Of this board; null where it cannot be told from others. */
  readonly boardId: string | null;
  /** Resolves when it is on the disk that this card belongs to another board; then this process ends. */
  readonly joinAnew: (boardId: string) => Promise<void>;
  /** Resolves when the new one is on the disk. */
  readonly changeCredential: (credential: string) => Promise<void>;
};

export function commandActions(options: ActionsOptions) {
  const { media, light } = options;
  return {
    'restart-pipeline': () => media.restartCapture(),
    'restart-media-host': () => media.restartHost(),
    'restart-agent': () => endWith(async () => options.restartAgent()),
    reboot: () => rebootIfAllowed(options),
    'start-streaming': () => options.switchOutlet('stream', true),
    'stop-streaming': () => options.switchOutlet('stream', false),
    snapshot: () => takeSnapshot(options),
    'start-recording': () => options.switchOutlet('record', true),
    'stop-recording': () => options.switchOutlet('record', false),
    'list-recordings': (wish) => listRecordings(options, wish),
    'protect-recording': ({ name }) => changeProtection(options.recordingDirectory(), name, true),
    'release-recording': ({ name }) => changeProtection(options.recordingDirectory(), name, false),
    identify: ({ durationS }) => light.blink(durationS ?? identifyBoundsS.default),
    'run-doctor': (_given, say) => runDoctor(options, say),
    'send-logs': async ({ lines }) => {
      options.sendLogs(lines ?? logBounds.defaultLines);
      return { kind: 'applied', detail: `the log is sent for ${logBounds.leaseMs / 60_000} minutes` };
    },
    'join-anew': ({ boardId }) => joinAnew(options, boardId),
    'rotate-credential': ({ credential }) => rotate(options, credential),
  } satisfies CommandActions;
}

/** This process ends: whoever comes after it knows what to answer. */
async function endWith(end: () => Promise<void>): Promise<ActionOutcome> {
  await end();
  return new Promise(() => undefined);
}

async function rebootIfAllowed({ mayReboot, reboot }: ActionsOptions): Promise<ActionOutcome> {
  if (!mayReboot) {
    return { kind: 'refused', reason: 'this device does not let its board be restarted: set AV_ALLOW_REBOOT=1 in its own environment' };
  }
  const problem = await reboot();
  return problem === null ? endWith(async () => undefined) : { kind: 'failed', reason: `the board is not restarted: ${problem}` };
}

async function takeSnapshot({ media, stillPicture, sendSnapshot }: ActionsOptions): Promise<ActionOutcome> {
  const taken = await media.picture();
  if (taken.kind === 'failed') return taken;
  const made = await stillPicture(taken.flv);
  if (made.kind === 'failed') return { kind: 'failed', reason: `the picture cannot be made: ${made.reason}` };
  sendSnapshot(made.jpeg);
  const size = `${made.width}x${made.height}, ${Math.ceil(made.jpeg.length / 1000)} kB`;
  return { kind: 'applied', detail: made.isHalved ? `${size}: half the size, because more does not fit into a message` : size };
}

const noRecordings = { kind: 'refused', reason: 'there are no recordings on this device, or their directory cannot be read' } as const;
const awayWords = 'the disk for recordings is away or refuses';

async function listRecordings({ recordingDirectory, isRecordingDiskAway }: ActionsOptions, wish: PageWish): Promise<ActionOutcome> {
  const isDiskAway = isRecordingDiskAway();
  const known = await readRecordings(recordingDirectory());
  if (known === null)
    return isDiskAway ? { kind: 'refused', reason: `${awayWords}, and there are none on the device itself` } : noRecordings;
  const page = { ...pageOf(known.recordings, wish), ...(isDiskAway ? { isDiskAway } : {}) };
  const detail = `${page.recordings.length} of ${page.total} recordings`;
  return { kind: 'applied', detail: isDiskAway ? `${detail} on the device itself: ${awayWords}` : detail, recordings: page };
}

async function changeProtection(directory: string, name: string, isProtected: boolean): Promise<ActionOutcome> {
  const found = await readRecordingDirectory(directory);
  if (found === null) return noRecordings;
  if (!found.files.some((file) => file.name === name)) {
    const example = found.files.at(-1)?.name;
    return { kind: 'refused', reason: `there is no recording ${name}${example === undefined ? '' : `; the newest is ${example}`}` };
  }
  if (!isProtected) {
    await releaseRecording(directory, name);
    return { kind: 'applied', detail: `${name} is no longer protected` };
  }
  await protectRecording(directory, name);
  return { kind: 'applied', detail: `${name} is protected: it is not deleted to make room` };
}

async function runDoctor({ examine }: ActionsOptions, say: SayProgress): Promise<ActionOutcome> {
  let count = 0;
  const checks = await examine(({ subject }) => {
    count += 1;
    say(`${count} ${count === 1 ? 'check' : 'checks'} made, the last: ${subject}`);
  });
  return { kind: 'applied', detail: summaryLine(checks), lines: checks.flatMap((check) => checkLine(check).split('\n')) };
}

async function rotate({ changeCredential }: ActionsOptions, credential: string): Promise<ActionOutcome> {
  try {
    await changeCredential(credential);
    return { kind: 'applied', detail: 'the new credential is on the disk; the device comes back with it' };
  } catch (cause) {
    return { kind: 'failed', reason: `the credential stays as it was: the disk cannot be written (${errorText(cause)})` };
  }
}

async function joinAnew({ boardId, joinAnew: leave }: ActionsOptions, originalId: string): Promise<ActionOutcome> {
  if (boardId === null) return { kind: 'refused', reason: 'this board cannot be told from others: it has no serial number' };
  if (boardId === originalId) return { kind: 'refused', reason: 'this is the board that the fleet has on record' };
  try {
    await leave(originalId);
    return { kind: 'applied', detail: 'this board holds a copy: it leaves, and joins as a device of its own' };
  } catch (cause) {
    return { kind: 'failed', reason: `the disk cannot be written (${errorText(cause)})` };
  }
}
