/**
 * The certificate that HTTP and MQTT serve, exchanged while they run when its files change: connections that are open go on, new
 * ones get the new certificate.
 *
 * INVARIANT: what is served was checked. While the files hold anything else, what was served before goes on being served.
 */
import type { Server } from 'node:tls';
import type { Clock } from '#fleet-server/clock.ts';
import type { Log } from '#fleet-server/log.ts';
import { readTls, type TlsFiles, type TlsMaterial } from '#fleet-server/tls/certificate.ts';

/** Read and compared, not watched: certificates are often exchanged by way of a link to another directory. */
const lookMs = 10_000;

export class TlsKeeper {
  readonly #files: TlsFiles;
  readonly #clock: Clock;
  readonly #servers = new Set<Pick<Server, 'setSecureContext'>>();
  #material: TlsMaterial;
  #saidProblem: string | null = null;
  #cancel: () => void = () => {};

  constructor(files: TlsFiles, material: TlsMaterial, clock: Clock) {
    this.#files = files;
    this.#material = material;
    this.#clock = clock;
  }

  get material(): TlsMaterial {
    return this.#material;
  }

  /** Of a server that was made with `material`. */
  attach(server: Pick<Server, 'setSecureContext'>): void {
    this.#servers.add(server);
  }

  start(log: Log): void {
    this.#cancel = this.#clock.every(lookMs, () => this.look(log));
  }

  /** May be called twice. */
  stop(): void {
    this.#cancel();
  }

  look(log: Log): void {
    const read = readTls(this.#files, this.#clock.nowMs());
    if (read.kind === 'problem') {
      if (this.#saidProblem === read.line) return;
      this.#saidProblem = read.line;
      log.error({ code: 'tls' }, `the certificate of before goes on being served. ${read.line}`);
      return;
    }
    this.#saidProblem = null;
    const { cert, key, validToMs } = read.material;
    if (cert === this.#material.cert && key === this.#material.key) return;
    for (const server of this.#servers) server.setSecureContext({ cert, key });
    this.#material = read.material;
    const validTo = new Date(validToMs).toISOString();
    log.info({ validTo }, 'the certificate was exchanged');
  }
}
