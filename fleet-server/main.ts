/** The fleet server. `node fleet-server/main.ts` serves; `… join-token`, `… admin-password` and `… backup` work beside it, `… restore` while it is stopped. */
import { type Configuration, describeProblems, parseConfiguration } from '#fleet-server/configuration.ts';
import { printAdminPassword } from '#fleet-server/process/admin-password.ts';
import { backUp } from '#fleet-server/process/backup.ts';
import { exitCodes } from '#fleet-server/process/exit-codes.ts';
import { printJoinToken } from '#fleet-server/process/join-token.ts';
import { restore } from '#fleet-server/process/restore.ts';
import { serve } from '#fleet-server/process/serve.ts';
import { describeStartFailure } from '#fleet-server/process/start-failure.ts';
import { UsageError } from '#fleet-server/process/with-store.ts';

const [subcommand, ...argumentList] = process.argv.slice(2);
const parsed = parseConfiguration(process.env);

if (parsed.kind === 'problems') {
  process.stderr.write(`The configuration is wrong; nothing was started.\n${describeProblems(parsed.problems)}\n`);
  process.exit(exitCodes.configuration);
}
await run(parsed.configuration);

async function run(configuration: Configuration): Promise<void> {
  switch (subcommand) {
    case undefined:
      return serve(configuration);
    case 'join-token':
      return once(configuration, () => printJoinToken(configuration, argumentList));
    case 'admin-password':
      return once(configuration, () => printAdminPassword(configuration));
    case 'backup':
      return once(configuration, () => backUp(configuration, argumentList));
    case 'restore':
      return once(configuration, () => restore(configuration, argumentList));
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
