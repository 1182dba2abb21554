/**
 * The virtual machine as a process: it tells lines, and it always ends, by itself or by force.
 *
 * INVARIANTS
 * - It is emulated, never accelerated: that works inside other virtual machines too.
 * - Its clock counts instructions, one a nanosecond, and not the time outside: on a busy machine it takes longer and measures the same.
 *   What it measures is what a single core of a thousand million instructions a second would do.
 * - It can read this machine's files and write none but those in its output folder.
 * - It does not outlive us, however we end: the kernel kills it with its parent.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export type MachineEnd =
  | { readonly kind: 'switched-off' }
  /** Not done, or nothing to say, for too long. */
  | { readonly kind: 'late'; readonly reason: string }
  /** Stopped from outside, failed, or not even started. */
  | { readonly kind: 'broken'; readonly reason: string };

/** In time as it passes outside. */
export type MachineBounds = {
  /** Of the whole life. */
  readonly lifeMs: number;
  /** From one line to the next; booting is before the first. */
  readonly silenceMs: number;
};

export type MachineFiles = {
  readonly image: string;
  readonly initramfs: string;
  readonly consoleLog: string;
  readonly outputFolder: string;
};

const memoryMegabytes = 1536;
const kernelArguments = 'console=ttyS0 quiet panic=1 mitigations=off';

/** Options are comma-separated in qemu: a comma in a path is doubled. */
function path(text: string): string {
  return text.replaceAll(',', ',,');
}

export function qemuCommand(files: MachineFiles): readonly string[] {
  const share = (tag: string, folder: string, mode: string) => [
    ...['-fsdev', `local,id=${tag},path=${path(folder)},security_model=none,multidevs=remap${mode}`],
    ...['-device', `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`],
  ];
  return [
    'qemu-system-x86_64',
    ...['-accel', 'tcg,thread=single', '-icount', 'shift=0,sleep=on', '-rtc', 'base=utc,clock=vm'],
    ...['-cpu', 'max', '-smp', '1', '-m', String(memoryMegabytes)],
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ...['-kernel', files.image, '-initrd', files.initramfs, '-append', kernelArguments],
    ...['-chardev', `file,id=console,path=${path(files.consoleLog)}`, '-serial', 'chardev:console'],
    ...['-chardev', 'stdio,id=results,signal=off', '-serial', 'chardev:results'],
    ...share('machine', '/', ',readonly=on'),
    ...share('output', files.outputFolder, ''),
  ];
}

/** Runs the command until it ends, is late or is stopped. */
export async function runMachine(
  command: readonly string[],
  bounds: MachineBounds,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<MachineEnd> {
  if (signal.aborted) return { kind: 'broken', reason: 'stopped from outside' };
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...command], { stdio: ['ignore', 'pipe', 'pipe'] });
  let brokenOff: MachineEnd | null = null;
  const breakOff = (kind: 'late' | 'broken', reason: string): void => {
    brokenOff ??= { kind, reason };
    child.kill('SIGKILL');
  };
  const onAbort = (): void => breakOff('broken', 'stopped from outside');
  signal.addEventListener('abort', onAbort, { once: true });
  const life = setTimeout(() => breakOff('late', `expected the machine to be done within ${bounds.lifeMs} ms`), bounds.lifeMs);
  const silence = setTimeout(() => breakOff('late', `expected a line from the machine within ${bounds.silenceMs} ms`), bounds.silenceMs);
  createInterface({ input: child.stdout }).on('line', (line) => {
    silence.refresh();
    onLine(line);
  });
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint = `${complaint}${chunk}`.slice(-1000);
  });
  const end = await new Promise<{ readonly code: number | null; readonly error?: Error }>((resolve) => {
    child.on('error', (error) => resolve({ code: null, error }));
    child.on('close', (code) => resolve({ code }));
  });
  clearTimeout(life);
  clearTimeout(silence);
  signal.removeEventListener('abort', onAbort);
  if (brokenOff !== null) return brokenOff;
  if (end.code === 0) return { kind: 'switched-off' };
  return { kind: 'broken', reason: end.error?.message ?? `the machine ended with ${end.code}: ${complaint.trim()}` };
}
