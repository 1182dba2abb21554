/** All recordings of a device: in the directory that was chosen for them, and on the device itself where they went while its disk was away. */
import { type KnownRecordings, readRecordings } from '#device/recording/list-recordings.ts';
import { isOnePlace } from '#device/recording/recording-directory.ts';
import { isDiskAway } from '#device/recording/recording-disk.ts';
import { recordingsText } from '#device/recording/recordings-text.ts';
import type { StateDirectory } from '#device/state/state-directory.ts';

export type RecordingsEverywhere = {
  readonly wantedDirectory: string;
  readonly isDiskAway: boolean;
  /** Of the directory that was chosen; null where its disk is away, where there is none, or where it may not be read. */
  readonly home: KnownRecordings | null;
  /** Null: none are there. */
  readonly meanwhile: KnownRecordings | null;
};

export type Whereabouts = {
  readonly wantedDirectory: string;
  readonly meanwhileDirectory: string;
  readonly state: Pick<StateDirectory, 'path' | 'read'>;
};

export async function readEverywhere({ wantedDirectory, meanwhileDirectory, state }: Whereabouts): Promise<RecordingsEverywhere> {
  const isAway = await isDiskAway(wantedDirectory, state);
  const isOne = await isOnePlace(wantedDirectory, meanwhileDirectory).catch(() => false);
  const meanwhile = isOne && !isAway ? null : await readRecordings(meanwhileDirectory);
  return {
    wantedDirectory,
    isDiskAway: isAway,
    // What lies at a mount point without its disk is no list of what is on the disk.
    home: isAway ? null : await readRecordings(wantedDirectory),
    meanwhile: meanwhile === null || meanwhile.recordings.length === 0 ? null : meanwhile,
  };
}

/** For a terminal. Pure. */
export function everywhereText({ wantedDirectory, isDiskAway: isAway, home, meanwhile }: RecordingsEverywhere): string {
  const onDevice = meanwhile === null ? '' : recordingsText(meanwhile.recordings, meanwhile.found.disk.freeBytes);
  if (isAway) {
    const head = `the disk of ${wantedDirectory} is away: recordings are made on the device until it is there again\n`;
    return `${head}${meanwhile === null ? 'no recordings on the device\n' : `${meanwhile.directory}:\n${onDevice}`}`;
  }
  const atHome =
    home === null
      ? `no recordings: there is no directory ${wantedDirectory}, or it may not be read\n`
      : recordingsText(home.recordings, home.found.disk.freeBytes);
  return meanwhile === null
    ? atHome
    : `${atHome}on the device, to be brought to ${wantedDirectory}, in ${meanwhile.directory}:\n${onDevice}`;
}

/** For programs. `directory` is where the first of the lists lies; `awayDirectory` is there while its disk is not. */
export function everywhereValue({ wantedDirectory, isDiskAway: isAway, home, meanwhile }: RecordingsEverywhere): object | null {
  const away = isAway ? { awayDirectory: wantedDirectory } : {};
  if (home !== null) return { ...listOf(home), ...(meanwhile === null ? {} : { meanwhile: listOf(meanwhile) }) };
  if (meanwhile !== null) return { ...listOf(meanwhile), ...away };
  return isAway ? { directory: null, recordings: [], ...away } : null;
}

function listOf({ directory, found, recordings }: KnownRecordings): object {
  return { directory, ...found.disk, recordings };
}
