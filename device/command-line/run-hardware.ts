/** `makespacelive hardware`: what is here, and what is made of it under the settings of the environment. Touches nothing. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { describeHardware, hardwareText } from '#device/command-line/describe-hardware.ts';
import type { OptionValues } from '#device/command-line/subcommands.ts';
import { describeProblems, readConfiguration, refusalsOf } from '#device/configuration.ts';
import { localMachine } from '#device/detect/local-machine.ts';
import { detectWithEncoders } from '#device/profile/detect-with-encoders.ts';
import { describeProfileProblem, loadUsableProfiles } from '#device/profile/load.ts';
import { forgetfulEncoderMemory } from '#device/state/encoder-memory.ts';
import { findHomeDirectory } from '#device/state/home-directory.ts';

const wrongConfiguration = 2;

export async function runHardware(options: OptionValues): Promise<number> {
  const isBalenaDataWritable = await access('/data', constants.W_OK).then(
    () => true,
    () => false,
  );
  const read = readConfiguration(process.env, { homeDirectory: findHomeDirectory(), isBalenaDataWritable });
  if (read.kind === 'problems') {
    process.stderr.write(`${describeProblems(read.problems)}\n`);
    return wrongConfiguration;
  }
  const { profiles, problems } = await loadUsableProfiles();
  for (const problem of problems) process.stderr.write(`A hardware profile is done without: ${describeProfileProblem(problem)}\n`);
  const hardware = await detectWithEncoders(localMachine(), profiles, forgetfulEncoderMemory(), read.configuration.stateDirectory);
  const { settings, refused } = read.configuration;
  const described = describeHardware(hardware, profiles, settings, refusalsOf(refused));
  process.stdout.write(options['json'] === true ? `${JSON.stringify(described, null, 2)}\n` : hardwareText(described));
  return 0;
}
