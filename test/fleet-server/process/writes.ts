/** Writes at a running server, of which each that was acknowledged is remembered, and what of them a store holds. */
import { DatabaseSync } from 'node:sqlite';

/** Of each of two writers; beside them stand tokens whose answer a killed server did not get out. */
const maxKept = 300;

export const password = 'a password for tests';

export async function request(url: string, cookie: string, method: string, path: string, body?: object): Promise<Response> {
  const headers = body === undefined ? { cookie } : { cookie, 'content-type': 'application/json' };
  return fetch(`${url}/api/v1${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
}

export async function signIn(url: string): Promise<string> {
  const response = await request(url, '', 'POST', '/session', { name: 'admin', password });
  return response.headers.getSetCookie()[0]?.split(';', 1)[0] ?? '';
}

/** Join tokens, of which a server takes a thousand: each deletes one of long ago. */
export class Writer {
  readonly acknowledged: string[] = [];
  #isStopped = false;
  #deleted = 0;
  #work: Promise<void> = Promise.resolve();

  start(url: string, cookie: string): void {
    this.#isStopped = false;
    this.#work = this.#run(url, cookie);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#work;
  }

  /** Those that no deletion was asked for. */
  kept(): readonly string[] {
    return this.acknowledged.slice(this.#deleted);
  }

  async #run(url: string, cookie: string): Promise<void> {
    while (!this.#isStopped) {
      try {
        const answer = await request(url, cookie, 'POST', '/join-tokens', {});
        if (answer.status !== 201) return;
        this.acknowledged.push(((await answer.json()) as { id: string }).id);
        if (this.acknowledged.length - this.#deleted < maxKept) continue;
        const old = this.acknowledged[this.#deleted];
        this.#deleted += 1;
        await (await request(url, cookie, 'DELETE', `/join-tokens/${old}`)).text();
      } catch {
        // The server is gone: whatever was under way was not acknowledged.
        return;
      }
    }
  }
}

/** @throws when the store is not whole. */
export function missingIn(path: string, ids: readonly string[]): string[] {
  const database = new DatabaseSync(path);
  try {
    const answer = database.prepare('pragma integrity_check').get()?.['integrity_check'];
    if (answer !== 'ok') throw new Error(`expected a whole store, got: ${String(answer)}`);
    const stored = new Set(
      database
        .prepare('select "id" from "joinTokens"')
        .all()
        .map((row) => row['id']),
    );
    return ids.filter((id) => !stored.has(id));
  } finally {
    database.close();
  }
}
