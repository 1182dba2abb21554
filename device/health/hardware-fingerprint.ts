/** Whether cameras or sound cards have come or gone, cheaply: two listings, so that it can be asked every few seconds. */
import { readdir, readFile } from 'node:fs/promises';

/** Two equal texts mean that nothing was plugged or unplugged. */
export async function hardwareFingerprint(sys = '/sys', proc = '/proc'): Promise<string> {
  const [videoNodes, soundCards] = await Promise.all([
    readdir(`${sys}/class/video4linux`).catch(() => []),
    readFile(`${proc}/asound/cards`, 'utf8').catch(() => ''),
  ]);
  const names = await Promise.all(
    videoNodes.toSorted().map(async (node) => {
      const name = await readFile(`${sys}/class/video4linux/${node}/name`, 'utf8').catch(() => '');
      return `${node}=${name.trim()}`;
    }),
  );
  return [...names, soundCards].join('\n');
}
