/** Whether profile files are right, and if not, which field of which file and why. Pure. */
import { BoardProfile, CameraProfile, EncoderProfile, type HardwareProfiles } from '#hardware-profiles/schema.ts';
import { type Check, compile } from '#protocol/compile.ts';
import { isSettingKey, parseSetting, settingDefinitions } from '#protocol/settings.ts';

export const profileKinds = ['boards', 'cameras', 'encoders'] as const;
export type ProfileFile = { readonly kind: (typeof profileKinds)[number]; readonly name: string; readonly text: string };
export type ProfileProblem = { readonly file: string; readonly field: string; readonly reason: string };
/** `profiles`: those whose file is right by itself. */
export type CheckedProfiles = { readonly profiles: HardwareProfiles; readonly problems: readonly ProfileProblem[] };

const checks = {
  boards: compile('board-profile', BoardProfile),
  cameras: compile('camera-profile', CameraProfile),
  encoders: compile('encoder-profile', EncoderProfile),
} as const;

type Report = (field: string, reason: string) => void;

/** Each file by itself. */
export function readProfiles(files: readonly ProfileFile[]): CheckedProfiles {
  const problems: ProfileProblem[] = [];
  const read = <T>(kind: ProfileFile['kind'], check: Check<T>) =>
    files
      .filter((file) => file.kind === kind)
      .flatMap((file) => readProfile(file, check, (field, reason) => problems.push({ file: `${kind}/${file.name}`, field, reason })));
  const profiles = {
    boards: read('boards', checks.boards),
    cameras: read('cameras', checks.cameras),
    encoders: read('encoders', checks.encoders),
  };
  return { profiles, problems };
}

/** And how they fit to each other. */
export function checkProfiles(files: readonly ProfileFile[]): CheckedProfiles {
  const { profiles, problems: ofFiles } = readProfiles(files);
  const problems = [...ofFiles];
  const { boards, cameras, encoders } = profiles;
  const encoderIds = new Set(encoders.map((encoder) => encoder.id));
  for (const board of boards) {
    for (const { id } of board.encoders.filter((encoder) => !encoderIds.has(encoder.id))) {
      problems.push({ file: `boards/${board.id}.json`, field: 'encoders', reason: `expected the id of an encoder profile, came "${id}"` });
    }
  }
  for (const [usbId, ids] of claimedUsbIds(cameras).filter(([, claiming]) => claiming.length > 1)) {
    const others = ids.slice(0, -1).join(', ');
    problems.push({
      file: `cameras/${ids.at(-1)}.json`,
      field: 'match.usbIds',
      reason: `expected a USB id of its own, came ${usbId}, which is that of ${others} too`,
    });
  }
  const withoutRule = boards.filter((board) => Object.keys(board.match).length === 0);
  if (withoutRule.length !== 1) {
    const came = withoutRule.map((board) => board.id).join(', ') || 'none';
    problems.push({ file: 'boards/', field: 'match', reason: `expected exactly one board profile without a rule, came ${came}` });
  }
  return { profiles, problems };
}

function claimedUsbIds(cameras: readonly CameraProfile[]): readonly (readonly [string, readonly string[]])[] {
  const usbIds = new Set(cameras.flatMap(({ match }) => match.usbIds ?? []));
  return [...usbIds].map((usbId) => [usbId, cameras.filter(({ match }) => match.usbIds?.includes(usbId)).map(({ id }) => id)] as const);
}

function readProfile<T>(file: ProfileFile, check: Check<T>, report: Report): readonly T[] {
  let value: unknown;
  try {
    value = JSON.parse(file.text);
  } catch (cause) {
    // It quotes the text, which may be anything.
    const message = (cause instanceof Error ? cause.message : String(cause)).replace(/\p{Cc}+/gu, '…');
    report('the file', `expected JSON, came text that is not: ${message}`);
    return [];
  }
  if (!check.Check(value)) {
    for (const error of check.Errors(value)) report(fieldOf(error), error.message);
    return [];
  }
  const problems = problemsOfMeaning(file, value as ProfileOfAnyKind);
  for (const { field, reason } of problems) report(field, reason);
  return problems.length === 0 ? [value] : [];
}

/** "/match/usbIds/0" as "match.usbIds.0". */
function fieldOf(error: { readonly instancePath: string }): string {
  return error.instancePath === '' ? 'the profile' : error.instancePath.slice(1).replaceAll('/', '.');
}

type ProfileOfAnyKind = {
  readonly id: string;
  readonly match: object;
  readonly settings?: Record<string, unknown>;
  readonly bitrate?: EncoderProfile['bitrate'];
};

function problemsOfMeaning(file: ProfileFile, profile: ProfileOfAnyKind): readonly Omit<ProfileProblem, 'file'>[] {
  const problems: Omit<ProfileProblem, 'file'>[] = [];
  const report: Report = (field, reason) => problems.push({ field, reason });
  if (`${profile.id}.json` !== file.name) report('id', `expected the file's name without .json, came "${profile.id}"`);
  for (const [rule, pattern] of Object.entries(profile.match)) {
    if (typeof pattern !== 'string') continue;
    if (!isPattern(pattern)) report(`match.${rule}`, `expected a regular expression, came "${pattern}"`);
  }
  const { bitrate } = profile;
  const needsNumber = bitrate?.live === true && bitrate.target === 'control';
  if (bitrate !== undefined && needsNumber !== (bitrate.controlId !== undefined)) {
    report(
      'bitrate.controlId',
      `expected ${needsNumber ? 'the number of the control, which is set by it' : 'none, but for a live control'}`,
    );
  }
  for (const [key, value] of Object.entries(profile.settings ?? {})) {
    if (!isSettingKey(key)) {
      report(`settings.${key}`, 'expected the name of a setting');
      continue;
    }
    if (settingDefinitions[key].secret) report(`settings.${key}`, 'expected no secret in a profile');
    const parsed = parseSetting(key, value);
    if (parsed.kind === 'problem') report(`settings.${key}`, `expected ${parsed.problem.expected}, came ${parsed.problem.came}`);
    else if (parsed.kind === 'unset' || parsed.value !== value)
      report(`settings.${key}`, `expected a ${settingDefinitions[key].shape.kind}`);
  }
  return problems;
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text, 'i');
    return true;
  } catch {
    return false;
  }
}
