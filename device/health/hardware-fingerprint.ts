/** Whether cameras or sound cards have come or gone, cheaply: a few listings, so that it can be asked every few seconds. */
import { constants } from 'node:fs';
import { access, readdir, readFile, realpath } from 'node:fs/promises';

export type MachineRoots = { readonly sys: string; readonly proc: string; readonly dev: string };

/** Two equal texts mean that nothing was plugged or unplugged, and that no new node has become usable. */
export async function hardwareFingerprint(roots: MachineRoots = { sys: '/sys', proc: '/proc', dev: '/dev' }): Promise<string> {
  const { sys, proc, dev } = roots;
  const [videoNodes, soundCards] = await Promise.all([
    readdir(`${sys}/class/video4linux`).catch(() => []),
    readFile(`${proc}/asound/cards`, 'utf8').catch(() => ''),
  ]);
  const cameras = await Promise.all(
    videoNodes.toSorted().map(async (node) => {
      const [name, place, isUsable] = await Promise.all([
        readFile(`${sys}/class/video4linux/${node}/name`, 'utf8').catch(() => ''),
        // Two cameras of one model that change sockets between two looks have the same nodes and names as before.
        realpath(`${sys}/class/video4linux/${node}/device`).catch(() => ''),
        // The kernel makes the node, udev gives it to our group a moment later.
        access(`${dev}/${node}`, constants.R_OK | constants.W_OK).then(
          () => true,
          () => false,
        ),
      ]);
      return `${node} ${name.trim()} ${place} ${isUsable ? 'usable' : 'not usable'}`;
    }),
  );
  return [...cameras, soundCards].join('\n');
}
