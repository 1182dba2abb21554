/** Restarts the board, where this user may and the machine has a tool for it; in balena's container its supervisor does. */
import { runProgram } from '#device/detect/local-machine.ts';
import { errorText } from '#device/state/state-directory.ts';

const boundMs = 10_000;
/** With systemd and polkit, then without. */
const tools: readonly (readonly [program: string, ...words: string[]])[] = [['systemctl', 'reboot'], ['reboot']];

/** Null when the restart is under way, or why there is none. */
export async function rebootBoard(): Promise<string | null> {
  const { BALENA_SUPERVISOR_ADDRESS: address, BALENA_SUPERVISOR_API_KEY: key } = process.env;
  if (address !== undefined && key !== undefined) return await askSupervisor(address, key);
  const reasons: string[] = [];
  for (const [program, ...words] of tools) {
    const outcome = await runProgram(program, words, boundMs);
    if (outcome.kind === 'finished' && outcome.exitCode === 0) return null;
    reasons.push(outcome.kind === 'failed' ? outcome.reason : `${program} ended with ${outcome.exitCode}`);
  }
  return `${reasons.join('; ')} (docs/operations.md says how the agent's user is given the right)`;
}

/** Its API version 1: the container has both variables where it is labelled io.balena.features.supervisor-api. */
async function askSupervisor(address: string, key: string): Promise<string | null> {
  try {
    const answer = await fetch(new URL('/v1/reboot', address), {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: '{}',
      signal: AbortSignal.timeout(boundMs),
    });
    await answer.body?.cancel();
    return answer.ok ? null : `balena’s supervisor answered ${answer.status}`;
  } catch (cause) {
    return `balena’s supervisor does not answer (${errorText(cause)})`;
  }
}
