/** Commands: one-shot requests to a device, done once however often they are delivered. */
import { type Static, type TObject, Type } from 'typebox';
import { RecordingName, recordingsAtOnce } from '#protocol/recordings.ts';

const strict = { additionalProperties: false };
const nothing = Type.Object({}, strict);

/** How many log lines a device keeps for whoever asks, and how long it goes on telling new ones. */
export const logBounds = { lines: 500, defaultLines: 200, leaseMs: 300_000 };

/** How long the board's light blinks. */
export const identifyBoundsS = { minimum: 1, maximum: 60, default: 10 };
/** A command may be given more time than its kind says, for a device that is seldom there. */
export const longestDeadlineMs = 7 * 86_400_000;

type CommandDefinition = {
  readonly title: string;
  readonly deadlineMs: number;
  /** As the device gets them. */
  readonly arguments: TObject;
  /** The fleet server fills them in: nobody may ask with any. */
  readonly areFromServer?: true;
  /** The fleet server sends it of its own accord: nobody may ask for it. */
  readonly isServersOwn?: true;
};

export const commandDefinitions = {
  'restart-pipeline': { title: 'Restart pipeline', deadlineMs: 60_000, arguments: nothing },
  'restart-media-host': { title: 'Restart media host', deadlineMs: 60_000, arguments: nothing },
  'restart-agent': { title: 'Restart agent', deadlineMs: 120_000, arguments: nothing },
  // Only where the device’s own environment says AV_ALLOW_REBOOT.
  reboot: { title: 'Restart board', deadlineMs: 600_000, arguments: nothing },
  // Against the settings and their hours, until the settings of the stream change.
  'start-streaming': { title: 'Start streaming', deadlineMs: 60_000, arguments: nothing },
  'stop-streaming': { title: 'Stop streaming', deadlineMs: 60_000, arguments: nothing },
  // The picture now on air in full size; it is sent beside the result.
  snapshot: { title: 'Take a snapshot', deadlineMs: 60_000, arguments: nothing },
  // Against the settings and their hours, until the next settings are in force.
  'start-recording': { title: 'Start recording', deadlineMs: 60_000, arguments: nothing },
  'stop-recording': { title: 'Stop recording', deadlineMs: 60_000, arguments: nothing },
  'list-recordings': {
    title: 'List recordings',
    deadlineMs: 60_000,
    arguments: Type.Object(
      {
        beforeNumber: Type.Optional(
          Type.Integer({ minimum: 1, description: 'Only what was recorded before this one: `nextBeforeNumber` of the list before' }),
        ),
        limit: Type.Optional(
          Type.Integer({ minimum: 1, maximum: recordingsAtOnce.most, description: `The newest; ${recordingsAtOnce.usual} unless told` }),
        ),
      },
      strict,
    ),
  },
  // A recording that is protected is not deleted to make room.
  'protect-recording': { title: 'Protect recording', deadlineMs: 60_000, arguments: Type.Object({ name: RecordingName }, strict) },
  'release-recording': { title: 'Unprotect recording', deadlineMs: 60_000, arguments: Type.Object({ name: RecordingName }, strict) },
  identify: {
    title: 'Blink light',
    deadlineMs: 90_000,
    arguments: Type.Object(
      {
        durationS: Type.Optional(
          Type.Integer({
            minimum: identifyBoundsS.minimum,
            maximum: identifyBoundsS.maximum,
            description: `How long the board’s light blinks; ${identifyBoundsS.default} unless told`,
          }),
        ),
      },
      strict,
    ),
  },
  'run-doctor': { title: 'Run doctor', deadlineMs: 180_000, arguments: nothing },
  'send-logs': {
    title: 'Send log',
    deadlineMs: 30_000,
    arguments: Type.Object(
      {
        lines: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: logBounds.lines,
            description: `Of those already written; ${logBounds.defaultLines} unless told. New ones follow for ${logBounds.leaseMs / 60_000} minutes`,
          }),
        ),
      },
      strict,
    ),
  },
  'rotate-credential': {
    title: 'Change credential',
    deadlineMs: 120_000,
    arguments: Type.Object(
      { credential: Type.String({ pattern: '^[A-Za-z0-9_-]{43,128}$', description: 'Made by the fleet server' }) },
      strict,
    ),
    areFromServer: true,
  },
  // The fleet server asks the copy of a card, and the original refuses.
  'join-anew': {
    title: 'Join as a device of its own',
    deadlineMs: 30_000,
    arguments: Type.Object(
      {
        boardId: Type.String({
          pattern: '^[0-9a-f]{16}$',
          description: 'Of the board that stays the device: every other one that gets this leaves, and joins anew where it has a token',
        }),
      },
      strict,
    ),
    isServersOwn: true,
  },
} as const satisfies Record<string, CommandDefinition>;

export const CommandKind = Type.Enum(Object.keys(commandDefinitions) as (keyof typeof commandDefinitions)[]);
export type CommandKind = keyof typeof commandDefinitions;
export type CommandArguments<K extends CommandKind> = Static<(typeof commandDefinitions)[K]['arguments']>;

export function isCommandKind(kind: string): kind is CommandKind {
  return Object.hasOwn(commandDefinitions, kind);
}

export function isFilledInByServer(kind: CommandKind): boolean {
  const definition: CommandDefinition = commandDefinitions[kind];
  return definition.areFromServer === true;
}

/** Whether people and programs may ask for it. */
export function mayBeAskedFor(kind: CommandKind): boolean {
  const definition: CommandDefinition = commandDefinitions[kind];
  return definition.isServersOwn !== true;
}

/** What became of a command on the device. */
export const CommandOutcome = Type.Enum(['done', 'failed', 'refused', 'expired']);
export type CommandOutcome = Static<typeof CommandOutcome>;
