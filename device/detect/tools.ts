/** The machine as detection sees it: small functions, so that a test can be another machine. */

export type CommandOutcome =
  | {
      readonly kind: 'finished';
      readonly exitCode: number;
      readonly stdout: string;
      /** The beginning of it. */
      readonly stderr?: string;
    }
  /** Not found, not done in time, or more output than allowed. */
  | { readonly kind: 'failed'; readonly reason: string };

export type DetectionTools = {
  /** The text of a file; null when it cannot be read. */
  readonly readFile: (path: string) => Promise<string | null>;
  /** Names in a directory; empty when it cannot be read. */
  readonly readDirectory: (path: string) => Promise<readonly string[]>;
  /** A path with all links resolved; null when there is none. */
  readonly realPath: (path: string) => Promise<string | null>;
  /** Runs a program without a shell; never rejects, and answers in time even if the program cannot be killed. */
  readonly run: (command: string, commandArguments: readonly string[], timeoutMs: number) => Promise<CommandOutcome>;
  /** As `uname -m` says it. */
  readonly architecture: string;
};

export type ReportProblem = (subject: string, problem: string) => void;
