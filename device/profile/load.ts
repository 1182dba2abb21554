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
  const { files, unreadable } = await readDirectory(directory);
  const { profiles, problems } = checkProfiles(files);
  if (unreadable.length + problems.length > 0) throw new ProfileError([...unreadable, ...problems]);
  return profiles;
}

/** Those of the program that are right, and what is wrong with the others. There is always one that fits any board. */
export async function loadUsableProfiles(directory: string = profilesDirectory): Promise<CheckedProfiles> {
  const { files, unreadable } = await readDirectory(directory);
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

type ReadDirectory = { readonly files: readonly ProfileFile[]; readonly unreadable: readonly ProfileProblem[] };

/** In one order, whichever of them is read first. */
async function readDirectory(directory: string): Promise<ReadDirectory> {
  const read = (await Promise.all(profileKinds.map((kind) => readKind(directory, kind)))).flat();
  return {
    files: read.filter((one) => 'text' in one),
    unreadable: read.filter((one) => 'reason' in one),
  };
}

async function readKind(directory: string, kind: ProfileFile['kind']): Promise<readonly (ProfileFile | ProfileProblem)[]> {
  const names = await readdir(`${directory}/${kind}`).catch(unreadable(`${kind}/`));
  if (!Array.isArray(names)) return [names];
  const files = names.filter((name) => name.endsWith('.json')).sort();
  return Promise.all(
    files.map(async (name) => {
      const text = await readFile(`${directory}/${kind}/${name}`, 'utf8').catch(unreadable(`${kind}/${name}`));
      return typeof text === 'string' ? { kind, name, text } : text;
    }),
  );
}

function unreadable(file: string): (cause: NodeJS.ErrnoException) => ProfileProblem {
  return (cause) => ({ file, field: 'the file', reason: `cannot be read (${cause.code ?? cause.name})` });
}
