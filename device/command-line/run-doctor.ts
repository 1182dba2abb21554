/** `makespacelive doctor`: looks at everything that a stream needs and says what to do. Settings are those of the agent. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import type { OptionValues } from '#device/command-line/subcommands.ts';
import { describeProblems, readConfiguration } from '#device/configuration.ts';
import { localMachine, runProgram } from '#device/detect/local-machine.ts';
import { checkLine, exitCodeOf, summaryLine } from '#device/doctor/check.ts';
import { examine } from '#device/doctor/doctor.ts';
import { systemClock } from '#device/media/clock.ts';
import { detectWithEncoders } from '#device/profile/detect-with-encoders.ts';
import { describeProfileProblem, loadUsableProfiles } from '#device/profile/load.ts';
import { forgetfulEncoderMemory } from '#device/state/encoder-memory.ts';
import { findHomeDirectory } from '#device/state/home-directory.ts';

const wrongConfiguration = 2;

export async function runDoctor(options: OptionValues): Promise<number> {
  const isBalenaDataWritable = await access('/data', constants.W_OK).then(
    () => true,
    () => false,
  );
  const read = readConfiguration(process.env, { homeDirectory: findHomeDirectory(), isBalenaDataWritable });
  if (read.kind === 'problems') {
    process.stderr.write(`${describeProblems(read.problems)}\n`);
    return wrongConfiguration;
  }
  const isJson = options['json'] === true;
  const { profiles, problems } = await loadUsableProfiles();
  const checks = await examine({
    configuration: read.configuration,
    detect: () => detectWithEncoders(localMachine(), profiles, forgetfulEncoderMemory(), read.configuration.stateDirectory),
    profiles,
    leftOutProfiles: problems.map(describeProfileProblem),
    clock: systemClock,
    run: runProgram,
    mayPublish: options['without-publishing'] !== true,
    onCheck: (check) => {
      if (!isJson) process.stdout.write(`${checkLine(check)}\n`);
    },
  });
  const exitCode = exitCodeOf(checks);
  if (isJson) process.stdout.write(`${JSON.stringify({ ok: exitCode === 0, checks }, null, 2)}\n`);
  else process.stdout.write(`${summaryLine(checks)}\n`);
  return exitCode;
}
