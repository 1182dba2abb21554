/** Finds out what this machine has. A tool that is missing or a device that misbehaves becomes a problem among the facts. */
import type { DetectedHardware } from '#device/detect/facts.ts';

export type CommandOutcome =
  | { readonly kind: 'finished'; readonly exitCode: number; readonly stdout: string; readonly stderr: string }
  /** Not found, killed after its time, or more output than allowed. */
  | { readonly kind: 'failed'; readonly reason: string };

/** The machine as detection sees it: small functions, so that a test can be another machine. */
export type DetectionTools = {
  /** The text of a file; null when it cannot be read. */
  readonly readFile: (path: string) => Promise<string | null>;
  /** Names in a directory; empty when it cannot be read. */
  readonly readDirectory: (path: string) => Promise<readonly string[]>;
  /** A path with all links resolved; null when there is none. */
  readonly realPath: (path: string) => Promise<string | null>;
  /** Runs a program without a shell; never rejects. */
  readonly run: (command: string, commandArguments: readonly string[], timeoutMs: number) => Promise<CommandOutcome>;
  /** As `uname -m` says it. */
  readonly architecture: string;
};

export async function detectHardware(tools: DetectionTools): Promise<DetectedHardware> {
  return {
    board: { model: null, architecture: tools.architecture },
    cameras: [],
    microphones: [],
    encoders: [],
    elements: new Set(),
    gstreamerVersion: null,
    problems: [],
  };
}
