/** A TLS server in front of a port, with a certificate of an authority that was made up for the test. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { onTestFinished } from 'vitest';
import { mediaHostProgram } from '#device/installation.ts';

/** Where Debian keeps the authorities that GnuTLS trusts. */
const systemAuthorities = '/etc/ssl/certs/ca-certificates.crt';

export type TlsFront = {
  readonly port: number;
  /** Starts a media host for which the made-up authority is one of the machine's; for root alone. */
  readonly spawnTrustingHost: (stateDirectory: string) => ReturnType<typeof spawn>;
};

/** The certificate is for `localhost` and no other name. */
export async function startTlsFront(innerPort: number): Promise<TlsFront> {
  const folder = await mkdtemp(join(tmpdir(), 'tls-front-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const openssl = (...words: readonly string[]) => execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });
  openssl(...'req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=Made-up -days 2'.split(' '));
  openssl(...'req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=localhost'.split(' '));
  await writeFile(join(folder, 'names'), 'subjectAltName=DNS:localhost\n');
  openssl(...'x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem -days 2 -extfile names'.split(' '));
  const [cert, key, authority, known] = await Promise.all(
    [join(folder, 'cert.pem'), join(folder, 'key.pem'), join(folder, 'ca.pem'), systemAuthorities].map((file) => readFile(file)),
  );
  const authorities = join(folder, 'authorities.pem');
  await writeFile(authorities, `${known ?? ''}\n${authority ?? ''}`);
  const server = createServer({ cert, key }, (outer) => {
    const inner = connect(innerPort, '127.0.0.1');
    outer.pipe(inner).pipe(outer);
    outer.on('error', () => inner.destroy());
    inner.on('error', () => outer.destroy());
    outer.on('close', () => inner.destroy());
    inner.on('close', () => outer.destroy());
  });
  // A client that does not like the certificate hangs up.
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return {
    port: (server.address() as AddressInfo).port,
    spawnTrustingHost: (stateDirectory) => {
      const words = [process.execPath, mediaHostProgram, stateDirectory].map((word) => `'${word}'`).join(' ');
      const script = `mount --bind '${authorities}' ${systemAuthorities} && exec ${words}`;
      return spawn('unshare', ['--mount', 'sh', '-c', script], { stdio: 'ignore' });
    },
  };
}
