/** The files of the repository, as git knows them: what the rules in this folder are checked against. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');

/** Paths from the root, tracked or new, without what git ignores. */
export function filesIn(...folders: readonly string[]): readonly string[] {
  return execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...folders], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((file) => file !== '' && existsSync(join(root, file)));
}

export function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

const importPattern = /(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g;

export function importsOf(file: string): readonly string[] {
  return [...read(file).matchAll(importPattern)].map((match) => match[1] ?? '');
}
