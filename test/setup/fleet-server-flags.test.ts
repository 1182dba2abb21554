import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fleetServerFlags } from '#setup/fleet-server-flags.ts';

const root = join(import.meta.dirname, '..', '..');

test.for([
  ['package.json', `"exec node setup/enter.mjs start ${fleetServerFlags.join(' ')} .build/server/fleet-server.js"`],
  [
    'docs/compose/fleet-server.Dockerfile',
    `CMD ["node", ${fleetServerFlags.map((flag) => `"${flag}"`).join(', ')}, ".build/server/fleet-server.js"]`,
  ],
  ['setup/systemd/makespacelive-server.service', `node ${fleetServerFlags.join(' ')} /opt/makespacelive/.build/server/fleet-server.js`],
  ['setup/makespacelive.mjs', `[${fleetServerFlags.map((flag) => `'${flag}'`).join(', ')}]`],
] as const)('%s starts the fleet server with the flags that bound its heap', ([file, expected]) => {
  expect(readFileSync(join(root, file), 'utf8')).toContain(expected);
});
