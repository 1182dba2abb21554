import type { CommandStatus } from '#protocol/model/command.ts';
import type { Tone } from '../status/stream-words.ts';
export declare function commandWords(command: Pick<CommandStatus, 'kind' | 'state' | 'detail'>): string;
export declare function commandTone({ state }: Pick<CommandStatus, 'state'>): Tone;
