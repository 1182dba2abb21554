/** A short soak: `npm run soak` is the long one. */
import { expect, test } from 'vitest';
import { agentProgram } from '../device/agent-program.ts';
import { freePort } from '../free-ports.ts';
import { runSoak } from '../soak/soak-run.ts';
import { growthOfSecondHalf } from '../soak/soak-table.ts';

/** A run this short still fills caches: what it finds is a leak of a hundred kilobytes a restart. */
const boundBytes = 12e6;

test('200 restarts of an output and 20 changes of the settings leave the memory of agent and media host as it was', async () => {
  const rows = await runSoak({
    outputRestarts: 200,
    settingsChanges: 20,
    rows: 40,
    program: agentProgram,
    rtmpPort: await freePort(),
    onRow: () => undefined,
  });
  expect(rows.at(-1)).toMatchObject({ restarts: 200, changes: 20 });
  const { agentBytes, hostBytes } = growthOfSecondHalf(rows);
  expect(agentBytes).toBeLessThan(boundBytes);
  expect(hostBytes).toBeLessThan(boundBytes);
}, 240_000);
