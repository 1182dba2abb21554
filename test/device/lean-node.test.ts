import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { leanNodeFlags } from '#device/lean-node.ts';

const root = join(import.meta.dirname, '..', '..');
const line = leanNodeFlags.join(' ');

test.for([
  ['package.json', `setup/enter.mjs device ${line} .build/agent/agent.js`],
  ['setup/systemd/makespacelive-agent.service', `node ${line} /opt/makespacelive/.build/agent/agent.js`],
  ['Dockerfile.template', `CMD ["node", ${leanNodeFlags.map((flag) => `"${flag}"`).join(', ')}, ".build/agent/agent.js"]`],
] as const)('%s starts the agent with the flags that keep Node small', ([file, expected]) => {
  expect(readFileSync(join(root, file), 'utf8')).toContain(expected);
});
