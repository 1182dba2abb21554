/** A made-up certificate authority, by OpenSSL's own program. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type Issued = { readonly certFile: string; readonly keyFile: string };

export class Authority {
  readonly caFile: string;
  readonly #folder: string;

  constructor(folder: string, name = 'ca') {
    this.#folder = folder;
    this.caFile = join(folder, `${name}.pem`);
    this.#openssl(`req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ${name}.pem -subj /CN=Made-up -days 2`);
    writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  }

  /** For localhost. */
  issue(name: string): Issued {
    this.#openssl(`req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ${name}.key -out ${name}.csr -subj /CN=${name}`);
    this.#openssl(`x509 -req -in ${name}.csr -CA ${this.caFile} -CAkey ca.key -CAcreateserial -out ${name}.pem -days 2 -extfile names`);
    return { certFile: join(this.#folder, `${name}.pem`), keyFile: join(this.#folder, `${name}.key`) };
  }

  #openssl(words: string): void {
    execFileSync('openssl', words.split(' '), { cwd: this.#folder, stdio: 'pipe' });
  }
}
