/** In which order the microphones came, kept until the machine boots anew: an agent that is started again hears the one that it heard before. */
import { type Static, Type } from 'typebox';
import { maximumKnownMicrophones } from '#device/detect/microphone-order.ts';
import { BootMemory, type BootMemoryOptions } from '#device/state/boot-memory.ts';
import { stateFile } from '#device/state/state-directory.ts';

const Memory = Type.Object({
  bootId: Type.String({ maxLength: 1000 }),
  /** Ids. */
  known: Type.Array(Type.String({ maxLength: 1000 }), { maxItems: maximumKnownMicrophones }),
});
const file = stateFile('microphones.json', Memory);

export class MicrophoneMemory extends BootMemory<readonly string[], Static<typeof Memory>> {
  constructor(options: BootMemoryOptions) {
    const kept = {
      file,
      pack: (bootId: string, known: readonly string[]) => ({ bootId, known: [...known] }),
      unpack: ({ known }: Static<typeof Memory>) => known,
      words: { what: 'which microphone came first', consequence: "an agent that is started again takes the first socket's" },
    };
    super(kept, [], options);
  }
}
