/**
 * The fleet server. `node fleet-server/main.ts` serves; `… join-token`, `… admin-password` and `… backup` work beside it, `… restore` while it is
 * stopped. `makespacelive` (setup/makespacelive.mjs) is its name for people.
 */
import { enableCompileCache } from 'node:module';
import { type Configuration, describeProblems, parseConfiguration } from '#fleet-server/configuration.ts';
import { compileCacheDirectory } from '#fleet-server/installation.ts';
import { exitCodes } from '#fleet-server/process/exit-codes.ts';
import { describeStartFailure } from '#fleet-server/process/start-failure.ts';
import { UsageError } from '#fleet-server/process/usage-error.ts';

// What is compiled once is not compiled at the next start. In a folder of ours: what lies there is run. Where it cannot be written, a start takes longer.
enableCompileCache(compileCacheDirectory);

const [subcommand, ...argumentList] = process.argv.slice(2);
const parsed = parseConfiguration(process.env);

if (parsed.kind === 'problems') {
  process.stderr.write(`The configuration is wrong; nothing was started.\n${describeProblems(parsed.problems)}\n`);
  process.exit(exitCodes.configuration);
}
await run(parsed.configuration);

async function run(configuration: Configuration): Promise<void> {
  switch (subcommand) {
    case undefined: {
      const { serve } = await import('#fleet-server/process/serve.ts');
      return serve(configuration);
    }
    case 'join-token': {
      const { printJoinToken } = await import('#fleet-server/process/join-token.ts');
      return once(configuration, () => printJoinToken(configuration, argumentList));
    }
    case 'admin-password': {
      const { printAdminPassword } = await import('#fleet-server/process/admin-password.ts');
      return once(configuration, () => printAdminPassword(configuration));
    }
    case 'backup': {
      const { backUp } = await import('#fleet-server/process/backup.ts');
      return once(configuration, () => backUp(configuration, argumentList));
    }
    case 'restore': {
      const { restore } = await import('#fleet-server/process/restore.ts');
      return once(configuration, () => restore(configuration, argumentList));
    }
    default:
      process.stderr.write(`Expected no argument, join-token, admin-password, backup or restore, got ${JSON.stringify(subcommand)}.\n`);
      process.exitCode = exitCodes.usage;
  }
}

async function once(configuration: Configuration, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    const isUsage = error instanceof UsageError;
    process.stderr.write(`${isUsage ? error.message : describeStartFailure(error, configuration).line}\n`);
    process.exitCode = isUsage ? exitCodes.usage : describeStartFailure(error, configuration).exitCode;
  }
}
