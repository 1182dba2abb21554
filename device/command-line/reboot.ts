/** Restarts the board, where this user may and the machine has a tool for it. */
import { runProgram } from '#device/detect/local-machine.ts';

const boundMs = 10_000;
/** With systemd and polkit, then without. */
const tools: readonly (readonly [program: string, ...words: string[]])[] = [['systemctl', 'reboot'], ['reboot']];

/** Null when the restart is under way, or why there is none. */
export async function rebootBoard(): Promise<string | null> {
  const reasons: string[] = [];
  for (const [program, ...words] of tools) {
    const outcome = await runProgram(program, words, boundMs);
    if (outcome.kind === 'finished' && outcome.exitCode === 0) return null;
    reasons.push(outcome.kind === 'failed' ? outcome.reason : `${program} ended with ${outcome.exitCode}`);
  }
  return reasons.join('; ');
}
