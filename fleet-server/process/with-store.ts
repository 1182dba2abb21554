/** What subcommands share: the store, opened beside a server that may be running, and closed again. */
import type { Configuration } from '#fleet-server/configuration.ts';
import { openSecrets, type Secrets } from '#fleet-server/store/secrets.ts';
import { keyPath, openStore, prepareDataDirectory, type Store, storePath } from '#fleet-server/store/store.ts';

/** The arguments are wrong; the message is the usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export async function withStore(
  configuration: Configuration,
  action: (opened: { readonly store: Store; readonly secrets: Secrets }) => Promise<void>,
): Promise<void> {
  prepareDataDirectory(configuration.dataDirectory);
  const secrets = openSecrets(keyPath(configuration.dataDirectory));
  const store = await openStore({ path: storePath(configuration.dataDirectory) });
  try {
    await action({ store, secrets });
  } finally {
    await store.close();
  }
}
