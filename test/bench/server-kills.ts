/** What is left of acknowledged writes when the fleet server is killed again and again: `node test/bench/server-kills.ts [kills]`. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killUnderWrites } from '../fleet-server/process/server-kills.ts';

const kills = Number(process.argv[2] ?? 50);
const directory = await mkdtemp(join(tmpdir(), 'makespacelive-bench-'));
const { acknowledged, missing, startsMs } = await killUnderWrites(directory, kills);
await rm(directory, { recursive: true });
const sorted = startsMs.toSorted((a, b) => a - b);
process.stdout.write(
  `server killed ${kills} times under writes (settings, tags, commands, alert rules, join tokens, events): acknowledged ${acknowledged}, lost or doubled ${missing.length}, aim: 0\n`,
);
process.stdout.write(
  `  from start to ready: median ${sorted[Math.floor(kills / 2)]?.toFixed(0)} ms, slowest ${sorted.at(-1)?.toFixed(0)} ms\n`,
);
