/**
 * The laboratory: scenarios on the kernel's own V4L2, ALSA and Wi-Fi drivers, in a virtual machine. Arguments: names of scenarios, or
 * none for all. Ends with 0 when all passed, and also when it cannot open here, which it says in one line.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildInitramfs } from './initramfs.ts';
import { prepareKernel } from './kernel.ts';
import { qemuCommand, runMachine } from './machine.ts';
import { ReportPrinter } from './report-printer.ts';
import { checkRequirements, Unavailable } from './requirements.ts';
import { scenarios } from './scenarios.ts';

const repository = dirname(dirname(import.meta.dirname));
/** A few minutes on two cores that nobody else uses; ten times that on busy ones. Inside, scenarios have bounds in a time of their own. */
const bounds = { lifeMs: 60 * 60_000, silenceMs: 15 * 60_000 };

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function openLaboratory(names: readonly string[]): Promise<number> {
  await checkRequirements();
  const kernel = await prepareKernel((line) => say(`The laboratory: ${line}`));
  const folder = await mkdtemp(join(tmpdir(), 'makespacelive-lab-'));
  const outputFolder = await mkdtemp(join(folder, 'output-'));
  const told = { repository, node: process.execPath, home: homedir(), scenarios: names.join(',') };
  const initramfs = await buildInitramfs(folder, kernel, told);
  const command = qemuCommand({ image: kernel.image, initramfs, consoleLog: join(outputFolder, 'console.log'), outputFolder });

  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort());
  const played = scenarios.filter(({ name }) => names.includes(name));
  const printer = new ReportPrinter(played, say);
  say(`The laboratory: booting ${kernel.version} under emulation, for ${names.join(', ')}`);
  const end = await runMachine(command, bounds, stop.signal, (line) => printer.add(line));
  const isGood = printer.finish(end.kind === 'broken' ? end.reason : null);
  if (isGood) {
    await rm(folder, { recursive: true, force: true });
    return 0;
  }
  say(`What was logged: ${(await readdir(outputFolder)).map((name) => join(outputFolder, name)).join(' ')}`);
  return 1;
}

async function main(wanted: readonly string[]): Promise<number> {
  const known = scenarios.map(({ name }) => name);
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    process.stderr.write(`expected scenarios out of ${known.join(', ')}, came ${unknown.join(', ')}\n`);
    return 2;
  }
  try {
    return await openLaboratory(wanted.length === 0 ? known : wanted);
  } catch (cause) {
    if (!(cause instanceof Unavailable)) throw cause;
    say(`The laboratory is skipped: ${cause.message}.`);
    return 0;
  }
}

process.exitCode = await main(process.argv.slice(2));
