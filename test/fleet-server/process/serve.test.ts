import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { killUnderWrites } from './server-kills.ts';

const kills = 20;

test(`a server that is killed ${kills} times under writes has every write that it acknowledged`, { timeout: 240_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'msl-kills-'));
  try {
    const { acknowledged, missing, startsMs } = await killUnderWrites(directory, kills);
    expect(missing).toEqual([]);
    expect(startsMs).toHaveLength(kills);
    expect(acknowledged).toBeGreaterThan(2 * kills);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
