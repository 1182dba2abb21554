/**
 * The laboratory: scenarios on the kernel's own V4L2, ALSA, USB and Wi-Fi drivers, in a virtual machine. Arguments: names of scenarios, or
 * none for all; --minutes N for another bound than the usual one. Ends with 0 when all passed, and also when it cannot open here,
 * which it says in one line. What it logged is kept in test/output/lab when it fails; else nothing of a run is left.
 */
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildInitramfs } from './initramfs.ts';
import { prepareKernel } from './kernel.ts';
import { type MachineEnd, qemuCommand, runMachine } from './machine.ts';
import { ReportPrinter } from './report-printer.ts';
import { checkRequirements, Unavailable } from './requirements.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';

const repository = dirname(dirname(import.meta.dirname));
const keptLogs = join(repository, 'test', 'output', 'lab');
/** Three times what it takes on two cores of which it has one to itself. Inside, scenarios have bounds in a time of their own. */
const usualMinutes = 25;
const longestMinutes = 600;
/** Of the whole life: from one line to the next. */
const silentShare = 0.4;

type Wish = { readonly played: readonly Scenario[]; readonly minutes: number };

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function openLaboratory(wish: Wish, signal: AbortSignal): Promise<number> {
  await checkRequirements();
  const kernel = await prepareKernel((line) => say(`The laboratory: ${line}`), signal);
  const names = wish.played.map(({ name }) => name);
  await rm(keptLogs, { recursive: true, force: true });
  const folder = await mkdtemp(join(tmpdir(), 'makespacelive-lab-'));
  try {
    const outputFolder = await mkdtemp(join(folder, 'output-'));
    const told = { repository, node: process.execPath, home: homedir(), scenarios: names.join(',') };
    const initramfs = await buildInitramfs(folder, kernel, told);
    const command = qemuCommand({ image: kernel.image, initramfs, consoleLog: join(outputFolder, 'console.log'), outputFolder });
    const printer = new ReportPrinter(wish.played, say);
    say(`The laboratory: booting ${kernel.version} under emulation, for ${names.join(', ')}`);
    const lifeMs = wish.minutes * 60_000;
    const end = await runMachine(command, { lifeMs, silenceMs: lifeMs * silentShare }, signal, (line) => printer.add(line));
    const isGood = printer.finish(reasonOf(end, wish.minutes));
    if (isGood) return 0;
    if (!signal.aborted) {
      await cp(outputFolder, keptLogs, { recursive: true });
      say(`What was logged: ${(await readdir(keptLogs)).map((name) => join(keptLogs, name)).join(' ')}`);
    }
    return 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function reasonOf(end: MachineEnd, minutes: number): string | null {
  switch (end.kind) {
    case 'switched-off':
      return null;
    case 'broken':
      return end.reason;
    case 'late':
      return `${end.reason}: on a slow or busy machine give it more than ${minutes} minutes with --minutes`;
    default:
      return end satisfies never;
  }
}

/** A text says what is wrong with the words. */
function readWish(words: readonly string[]): Wish | string {
  const known = scenarios.map(({ name }) => name);
  const options = { minutes: { type: 'string', default: String(usualMinutes) } } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...words], options, allowPositionals: true });
    const unknown = positionals.filter((name) => !known.includes(name));
    if (unknown.length > 0) return `expected scenarios out of ${known.join(', ')}, came ${unknown.join(', ')}`;
    const minutes = Number(values.minutes);
    if (!(minutes > 0 && minutes <= longestMinutes)) return `expected --minutes of 1 to ${longestMinutes}, came ${values.minutes}`;
    return { played: scenarios.filter(({ name }) => positionals.length === 0 || positionals.includes(name)), minutes };
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}

async function main(words: readonly string[]): Promise<number> {
  const wish = readWish(words);
  if (typeof wish === 'string') {
    process.stderr.write(`${wish}\n`);
    return 2;
  }
  // A Ctrl-C comes twice, from the terminal and from npm: every one is taken, and everything is put away first.
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
  try {
    return await openLaboratory(wish, stop.signal);
  } catch (cause) {
    if (stop.signal.aborted) return 1;
    if (!(cause instanceof Unavailable)) throw cause;
    say(`The laboratory is skipped: ${cause.message}.`);
    return 0;
  }
}

process.exitCode = await main(process.argv.slice(2));
