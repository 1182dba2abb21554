/** The subcommands of `makespacelive`, one row each. Each is loaded only when it is run: the agent carries none of the others. */

export type SubcommandOption = {
  readonly type: 'boolean' | 'string';
  /** For --help, in a few words. */
  readonly description: string;
};

export type OptionValues = Readonly<Record<string, string | boolean | undefined>>;

/** Resolves with the exit code. The agent's resolves while it goes on: its process ends by a signal. */
export type RunSubcommand = (options: OptionValues) => Promise<number>;

export type Subcommand = {
  /** For --help, in a few words. */
  readonly description: string;
  readonly options: Readonly<Record<string, SubcommandOption>>;
  readonly load: () => Promise<RunSubcommand>;
};

export type Subcommands = Readonly<Record<string, Subcommand>>;

/** What runs when none is named. */
export const defaultSubcommand = 'agent';

export const subcommands: Subcommands = {
  agent: {
    description: 'streams, with or without a fleet server (this is what runs without a subcommand)',
    options: { 'print-pipeline': { type: 'boolean', description: 'prints what would run here, and ends' } },
    load: async () => (await import('#device/command-line/run-agent.ts')).runAgent,
  },
  hardware: {
    description: 'prints what was found, which profile fits it, and which mode and encoder are taken and why not the others',
    options: { json: { type: 'boolean', description: 'prints JSON' } },
    load: async () => (await import('#device/command-line/run-hardware.ts')).runHardware,
  },
  recordings: {
    description: 'lists the recordings on this device, and protects them',
    options: {
      json: { type: 'boolean', description: 'prints JSON' },
      protect: { type: 'string', description: 'keeps the recording of this name from being deleted to make room' },
      release: { type: 'string', description: 'lets it be deleted again' },
    },
    load: async () => (await import('#device/command-line/run-recordings.ts')).runRecordings,
  },
  doctor: {
    description: 'tries everything that a stream needs, and says what to do',
    options: {
      json: { type: 'boolean', description: 'prints JSON' },
      'without-publishing': { type: 'boolean', description: 'sends nothing to the stream targets' },
    },
    load: async () => (await import('#device/command-line/run-doctor.ts')).runDoctor,
  },
};
