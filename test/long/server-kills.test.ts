/** The fleet server is killed fifty times at moments that nobody chose, under writes: `npm run bench:kills` prints its figures. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { killUnderWrites } from '../fleet-server/process/server-kills.ts';

const kills = 50;

test(`a server that is killed ${kills} times under writes has every write that it acknowledged`, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'msl-kills-'));
  try {
    const { acknowledged, missing, startsMs } = await killUnderWrites(directory, kills);
    expect(missing).toEqual([]);
    expect(startsMs).toHaveLength(kills);
    expect(acknowledged).toBeGreaterThan(2 * kills);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}, 600_000);
