/**
 * Reads the hardware profiles: JSON files beside their schema. A wrong one is named by file, field and reason: it fails the build, and
 * on a device, where a card has damaged it, it is done without.
 */
import { readdir, readFile } from 'node:fs/promises';
import { profilesDirectory } from '#device/installation.ts';
import {
  type CheckedProfiles,
  checkProfiles,
  type ProfileFile,
  type ProfileProblem,
  profileKinds,
  readProfiles,
} from '#device/profile/check.ts';
import type { BoardProfile, HardwareProfiles } from '#hardware-profiles/schema.ts';

export class ProfileError extends Error {
  readonly code = 'wrong-hardware-profile';
  readonly problems: readonly ProfileProblem[];

  constructor(problems: readonly ProfileProblem[]) {
    super(problems.map(describeProfileProblem).join('\n'));
    this.name = 'ProfileError';
    this.problems = problems;
  }
}

export function describeProfileProblem({ file, field, reason }: ProfileProblem): string {
  return `${file}: ${field}: ${reason}`;
}

/** Every profile of the program; throws a ProfileError with all problems at once when one is wrong. */
export async function loadProfiles(directory: string = profilesDirectory): Promise<HardwareProfiles> {
  const files = (await Promise.all(profileKinds.map((kind) => readKind(directory, kind)))).flat();
  const { profiles, problems } = checkProfiles(files);
  if (problems.length > 0) throw new ProfileError(problems);
  return profiles;
}

/** Those of the program that are right, and what is wrong with the others. There is always one that fits any board. */
export async function loadUsableProfiles(directory: string = profilesDirectory): Promise<CheckedProfiles> {
  const unreadable: ProfileProblem[] = [];
  const files = (await Promise.all(profileKinds.map((kind) => readKind(directory, kind, (problem) => unreadable.push(problem))))).flat();
  const { profiles, problems } = readProfiles(files);
  return { profiles: withAnyBoard(profiles), problems: [...unreadable, ...problems] };
}

/** For a board that nothing is known of: any encoder is better than no stream. */
function withAnyBoard(profiles: HardwareProfiles): HardwareProfiles {
  if (profiles.boards.some(({ match }) => Object.keys(match).length === 0)) return profiles;
  const anyBoard: BoardProfile = {
    id: 'generic',
    title: 'Any Linux machine',
    status: 'untested',
    notes: 'Stands in for a profile that is damaged.',
    source: 'The encoders whose profiles are not.',
    match: {},
    settings: {},
    encoders: profiles.encoders.map(({ id }) => ({ id })),
  };
  return { ...profiles, boards: [...profiles.boards, anyBoard] };
}

type OnUnreadable = (problem: ProfileProblem) => void;

/** `onUnreadable`: what is done without; else a file that cannot be read is an error. */
async function readKind(directory: string, kind: ProfileFile['kind'], onUnreadable?: OnUnreadable): Promise<readonly ProfileFile[]> {
  const read = async <T>(file: string, reading: Promise<T>, instead: T): Promise<T> =>
    reading.catch((cause: NodeJS.ErrnoException) => {
      if (onUnreadable === undefined) throw cause;
      onUnreadable({ file, field: 'the file', reason: `cannot be read (${cause.code ?? cause.name})` });
      return instead;
    });
  const names = (await read(`${kind}/`, readdir(`${directory}/${kind}`), [])).filter((name) => name.endsWith('.json')).sort();
  const files = names.map(async (name) => {
    const text = await read<string | null>(`${kind}/${name}`, readFile(`${directory}/${kind}/${name}`, 'utf8'), null);
    return text === null ? [] : [{ kind, name, text }];
  });
  return (await Promise.all(files)).flat();
}
