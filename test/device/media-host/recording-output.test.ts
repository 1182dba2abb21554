/** The recording of a real capture in a real media host, on the machine's own disk. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../../until.ts';
import { startHost, stateDirectory } from '../media/supervised-host.ts';
import { testPlan } from '../media/test-plan.ts';
import { probeFile } from '../recording/probe.ts';

describe('a recording', () => {
  it('is cut at keyframes into files that each play alone, without a frame missing between them', async () => {
    const state = await stateDirectory();
    const host = await startHost(state);
    await host.supervisor.apply(testPlan({ recording: { segmentS: 3 } }));
    await until('three files', 20_000, () => (host.recording()?.connections ?? 0) >= 3);
    await host.supervisor.stop();

    const directory = join(state, 'recordings');
    const names = (await readdir(directory)).toSorted();
    expect(names.length).toBeGreaterThanOrEqual(3);
    for (const [index, name] of names.entries()) {
      expect(name).toMatch(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.flv$/);
      const file = await probeFile(join(directory, name));
      expect(file.complaints).toBe('');
      expect(file.startsWithKeyframe).toBe(true);
      expect(file.firstVideoMs).toBeLessThanOrEqual(1);
      expect(file.audioPackets).toBeGreaterThan(0);
      if (index < names.length - 1) expect(file.videoPackets).toBe(90);
    }
    expect(host.events.map(({ event }) => event)).toContain('recording-started');
  });
});
