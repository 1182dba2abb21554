/** What the server and its subcommands share: the store that the configuration names, with its key. */
import type { Configuration } from '#fleet-server/configuration.ts';
import { openSecrets, type Secrets } from '#fleet-server/store/secrets.ts';
import { keyPath, openStore, prepareDataDirectory, type Store, type StoreOptions, storePath } from '#fleet-server/store/store.ts';
import { checkStoreKey } from '#fleet-server/store/store-key.ts';

export type Opened = { readonly store: Store; readonly secrets: Secrets };

export async function openConfigured(configuration: Configuration, options: StoreOptions = {}): Promise<Opened> {
  const { dataDirectory, databaseUrl } = configuration;
  prepareDataDirectory(dataDirectory);
  const keyFile = configuration.keyFile ?? keyPath(dataDirectory);
  const secrets = openSecrets(keyFile);
  const store = await openStore(
    databaseUrl === null ? { kind: 'sqlite', path: storePath(dataDirectory) } : { kind: 'postgresql', url: databaseUrl },
    options,
  );
  try {
    await checkStoreKey(store.database, secrets, keyFile);
  } catch (error) {
    await store.close();
    throw error;
  }
  return { store, secrets };
}

/** Beside a server that may be running; closed again. */
export async function withStore(configuration: Configuration, action: (opened: Opened) => Promise<void>): Promise<void> {
  const opened = await openConfigured(configuration);
  try {
    await action(opened);
  } finally {
    await opened.store.close();
  }
}
