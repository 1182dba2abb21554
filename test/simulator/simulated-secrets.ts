/** The server's own secret of a run: the same key in each life of the server. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSecrets, type Secrets } from '#fleet-server/store/secrets.ts';

/** The file is made once a process: a run needs a secret, not a new one. */
let made: Secrets | null = null;

export function simulatedSecrets(): Secrets {
  if (made !== null) return made;
  const directory = mkdtempSync(join(tmpdir(), 'msl-simulator-'));
  made = openSecrets(join(directory, 'secret.key'));
  rmSync(directory, { recursive: true });
  return made;
}
