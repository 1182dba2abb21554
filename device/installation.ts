/**
 * Where the agent's own files lie. It runs from its sources, or from a bundle in a folder two levels below the same root, in
 * which agent and media host are a file each.
 */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ownFile = fileURLToPath(import.meta.url);
const ownDirectory = dirname(ownFile);
const isBundled = ownFile.endsWith('.js');
const root = isBundled ? dirname(dirname(ownDirectory)) : dirname(ownDirectory);

export const mediaHostProgram = isBundled ? join(ownDirectory, 'media-host.js') : join(ownDirectory, 'media-host', 'main.ts');
export const profilesDirectory = join(root, 'hardware-profiles');
export const packageFile = join(root, 'package.json');

export async function programVersion(): Promise<string> {
  const content: unknown = JSON.parse(await readFile(packageFile, 'utf8'));
  return typeof content === 'object' && content !== null && 'version' in content ? String(content.version) : 'unknown';
}
