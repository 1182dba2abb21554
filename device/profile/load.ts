/** Reads the hardware profiles: JSON files beside their schema. A wrong one is named by file, field and reason. */
import { readdir, readFile } from 'node:fs/promises';
import { profilesDirectory } from '#device/installation.ts';
import { checkProfiles, type ProfileFile, type ProfileProblem, profileKinds } from '#device/profile/check.ts';
import type { HardwareProfiles } from '#hardware-profiles/schema.ts';

export class ProfileError extends Error {
  readonly code = 'wrong-hardware-profile';
  readonly problems: readonly ProfileProblem[];

  constructor(problems: readonly ProfileProblem[]) {
    super(problems.map((problem) => `${problem.file}: ${problem.field}: ${problem.reason}`).join('\n'));
    this.name = 'ProfileError';
    this.problems = problems;
  }
}

/** Every profile of the program; throws a ProfileError with all problems at once when one is wrong. */
export async function loadProfiles(directory: string = profilesDirectory): Promise<HardwareProfiles> {
  const files = (await Promise.all(profileKinds.map((kind) => readKind(directory, kind)))).flat();
  const { profiles, problems } = checkProfiles(files);
  if (problems.length > 0) throw new ProfileError(problems);
  return profiles;
}

async function readKind(directory: string, kind: ProfileFile['kind']): Promise<readonly ProfileFile[]> {
  const names = (await readdir(`${directory}/${kind}`)).filter((name) => name.endsWith('.json')).sort();
  return await Promise.all(names.map(async (name) => ({ kind, name, text: await readFile(`${directory}/${kind}/${name}`, 'utf8') })));
}
