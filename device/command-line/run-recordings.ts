/** `makespacelive recordings`: lists what is on the disk, protects one from being deleted, or lets it go again. Needs no agent that runs. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import type { OptionValues } from '#device/command-line/subcommands.ts';
import { describeProblem, describeProblems, readConfiguration } from '#device/configuration.ts';
import { hostFiles } from '#device/media/host-files.ts';
import { everywhereText, everywhereValue, type RecordingsEverywhere, readEverywhere } from '#device/recording/everywhere.ts';
import { protectRecording, releaseRecording } from '#device/recording/recording-directory.ts';
import { findHomeDirectory } from '#device/state/home-directory.ts';
import { StateDirectory } from '#device/state/state-directory.ts';

const wrongConfiguration = 2;
const notFound = 1;

export async function runRecordings(options: OptionValues): Promise<number> {
  const isBalenaDataWritable = await access('/data', constants.W_OK).then(
    () => true,
    () => false,
  );
  const read = readConfiguration(process.env, { homeDirectory: findHomeDirectory(), isBalenaDataWritable });
  if (read.kind === 'problems') {
    process.stderr.write(`${describeProblems(read.problems)}\n`);
    return wrongConfiguration;
  }
  const { settings, refused, stateDirectory } = read.configuration;
  for (const problem of refused) process.stderr.write(`Left out: ${describeProblem(problem)}\n`);
  const { recordings, recordingsMeanwhile } = hostFiles(stateDirectory);
  const everywhere = await readEverywhere({
    wantedDirectory: typeof settings.AV_RECORD_DIR === 'string' && settings.AV_RECORD_DIR !== '' ? settings.AV_RECORD_DIR : recordings,
    meanwhileDirectory: recordingsMeanwhile,
    state: new StateDirectory(stateDirectory, { warn: (message) => process.stderr.write(`${message}\n`) }),
  });
  const change = await changeProtection(everywhere, options);
  if (change !== null) return change;
  const value = everywhereValue(everywhere);
  if (options['json'] === true && value !== null) process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  else process.stdout.write(everywhereText(everywhere));
  return 0;
}

/** Null: nobody asked for one. */
async function changeProtection({ home, meanwhile }: RecordingsEverywhere, options: OptionValues): Promise<number | null> {
  const { protect, release } = options;
  const asked = typeof protect === 'string' ? protect : typeof release === 'string' ? release : null;
  if (asked === null) return null;
  const name = asked.replace(/\.(?:flv|mp4)$/, '');
  const places = [home, meanwhile].filter((place) => place !== null);
  const place = places.find(({ found }) => found.files.some((file) => file.name === name));
  if (place === undefined) {
    const example = places.flatMap(({ found }) => found.files)[0]?.name ?? '2026-11-21T10-00-00Z';
    process.stderr.write(`expected the name of a recording, such as ${example}; there is no ${asked}\n`);
    return notFound;
  }
  if (typeof protect === 'string') await protectRecording(place.directory, name);
  else await releaseRecording(place.directory, name);
  process.stdout.write(
    `${name} ${typeof protect === 'string' ? 'is protected: it is not deleted to make room' : 'is no longer protected'}\n`,
  );
  return 0;
}
