/** `makespacelive recordings`: lists what is on the disk, protects one from being deleted, or lets it go again. Needs no agent that runs. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import type { OptionValues } from '#device/command-line/subcommands.ts';
import { describeProblems, readConfiguration } from '#device/configuration.ts';
import { hostFiles } from '#device/media/host-files.ts';
import { readRecordings } from '#device/recording/list-recordings.ts';
import { type FoundDirectory, protectRecording, releaseRecording } from '#device/recording/recording-directory.ts';
import { recordingsText } from '#device/recording/recordings-text.ts';
import { findHomeDirectory } from '#device/state/home-directory.ts';

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
  const { settings, stateDirectory } = read.configuration;
  const directory = typeof settings.AV_RECORD_DIR === 'string' ? settings.AV_RECORD_DIR : hostFiles(stateDirectory).recordings;
  const known = await readRecordings(directory);
  if (known === null) {
    process.stdout.write(`no recordings: there is no directory ${directory}, or it may not be read\n`);
    return 0;
  }
  const { found, recordings } = known;
  const change = await changeProtection(directory, found, options);
  if (change !== null) return change;
  if (options['json'] === true) process.stdout.write(`${JSON.stringify({ directory, ...found.disk, recordings }, null, 2)}\n`);
  else process.stdout.write(recordingsText(recordings, found.disk.freeBytes));
  return 0;
}

/** Null: nobody asked for one. */
async function changeProtection(directory: string, { files }: FoundDirectory, options: OptionValues): Promise<number | null> {
  const { protect, release } = options;
  const asked = typeof protect === 'string' ? protect : typeof release === 'string' ? release : null;
  if (asked === null) return null;
  const name = asked.replace(/\.(?:flv|mp4)$/, '');
  if (!files.some((file) => file.name === name)) {
    process.stderr.write(`expected the name of a recording, such as ${files[0]?.name ?? '2026-11-21T10-00-00Z'}; there is no ${asked}\n`);
    return notFound;
  }
  if (typeof protect === 'string') await protectRecording(directory, name);
  else await releaseRecording(directory, name);
  process.stdout.write(
    `${name} ${typeof protect === 'string' ? 'is protected: it is not deleted to make room' : 'is no longer protected'}\n`,
  );
  return 0;
}
