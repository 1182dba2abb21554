/** This machine, as detection wants to see it. */
import type { DetectionTools } from '#device/detect/detect.ts';

export function localMachine(): DetectionTools {
  return {
    readFile: async () => null,
    readDirectory: async () => [],
    realPath: async () => null,
    run: async () => ({ kind: 'failed', reason: 'not built yet' }),
    architecture: 'x86_64',
  };
}
