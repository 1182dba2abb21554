/**
 * Where the fleet server's own files lie. It runs from its sources, or from a bundle in a folder two levels below the same root, in
 * which the program and its thread for checkpoints are a file each.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ownFile = fileURLToPath(import.meta.url);
const isBundled = ownFile.endsWith('.js');
const root = isBundled ? dirname(dirname(dirname(ownFile))) : dirname(dirname(ownFile));

export const dashboardDirectory = join(root, 'fleet-server', 'web', 'dist');
export const compileCacheDirectory = join(root, '.build', 'compile-cache');
export const checkpointWorker = isBundled
  ? join(dirname(ownFile), 'sqlite-checkpoint-worker.js')
  : join(dirname(ownFile), 'store', 'sqlite-checkpoint-worker.ts');
