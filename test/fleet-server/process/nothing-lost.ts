import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { killUnderWrites } from './server-kills.ts';

/** In a directory of its own, that is gone afterwards. */
export async function expectNothingLost(kills: number): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'msl-kills-'));
  try {
    const { acknowledged, missing, startsMs } = await killUnderWrites(directory, kills);
    expect(missing).toEqual([]);
    expect(startsMs).toHaveLength(kills + 1);
    expect(acknowledged).toBeGreaterThan(2 * kills);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
