#!/usr/bin/env node
/** The device's program: `node device/main.ts [SUBCOMMAND] [OPTIONS]`, installed as `makespacelive`. Without words it is the agent. */
import { helpText } from '#device/command-line/help.ts';
import { readCommandLine } from '#device/command-line/read-command-line.ts';
import { subcommands } from '#device/command-line/subcommands.ts';
import { programVersion } from '#device/installation.ts';

const wrongCommandLine = 2;

const line = readCommandLine(process.argv.slice(2), subcommands);
switch (line.kind) {
  case 'help':
    process.stdout.write(helpText(subcommands));
    break;
  case 'version':
    process.stdout.write(`${await programVersion()}\n`);
    break;
  case 'problem':
    process.stderr.write(`${line.problem}\n`);
    process.exitCode = wrongCommandLine;
    break;
  case 'run': {
    const run = await line.subcommand.load();
    process.exitCode = await run(line.options);
    break;
  }
  default:
    line satisfies never;
}
