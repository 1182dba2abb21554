/** A machine for detection, put together from files, links and answers of programs. */
import type { CommandOutcome, DetectionTools } from '#device/detect/tools.ts';

export type MadeUpMachine = {
  readonly architecture?: string;
  readonly files?: Readonly<Record<string, string>>;
  /** Resolved paths by the path asked for. */
  readonly links?: Readonly<Record<string, string>>;
  /** What a program prints, by its whole command line; what is not listed is not installed. */
  readonly programs?: Readonly<Record<string, string | CommandOutcome>>;
};

export function toolsOf(machine: MadeUpMachine): DetectionTools {
  const paths = [...Object.keys(machine.files ?? {}), ...Object.keys(machine.links ?? {})];
  return {
    architecture: machine.architecture ?? 'x86_64',
    readFile: async (path) => machine.files?.[path] ?? null,
    readDirectory: async (directory) => [
      ...new Set(
        paths.filter((path) => path.startsWith(`${directory}/`)).map((path) => path.slice(directory.length + 1).split('/')[0] ?? ''),
      ),
    ],
    realPath: async (path) => machine.links?.[path] ?? null,
    run: async (command, commandArguments) => {
      const answer = machine.programs?.[[command, ...commandArguments].join(' ')];
      if (answer === undefined) return { kind: 'failed', reason: `${command} is not installed` };
      return typeof answer === 'string' ? { kind: 'finished', exitCode: 0, stdout: answer } : answer;
    },
  };
}
