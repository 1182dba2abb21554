/** Which encoders have been seen to start, kept over reboots: a small board does not try them each time. */
import { Type } from 'typebox';
import type { Log } from '#device/logging.ts';
import type { EncoderMemory } from '#device/profile/probe-encoders.ts';
import { errorText, type StateDirectory, stateFile } from '#device/state/state-directory.ts';

/** One for each change of board, GStreamer or profile; the oldest are forgotten. */
const maximumEntries = 16;
const file = stateFile(
  'encoders-that-start.json',
  Type.Object({ fingerprints: Type.Array(Type.String({ maxLength: 2000 }), { maxItems: maximumEntries }) }),
);

export async function loadEncoderMemory(state: StateDirectory, log: Pick<Log, 'warn'>): Promise<EncoderMemory> {
  const known = new Set((await state.read(file))?.fingerprints ?? []);
  return {
    knows: (fingerprint) => known.has(fingerprint),
    learn: (fingerprint) => {
      known.add(fingerprint);
      const fingerprints = [...known].slice(-maximumEntries);
      // Nothing waits for it: not written is only tried again.
      state.write(file, { fingerprints }).catch((cause: unknown) => {
        log.warn(`cannot note which encoder starts (${errorText(cause)}): it is tried again next time`);
      });
    },
  };
}

/** For programs that leave nothing behind. */
export function forgetfulEncoderMemory(): EncoderMemory {
  return { knows: () => false, learn: () => undefined };
}
