/** Certificate and key from their files: what can be served, or one line that says why not. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

export type TlsFiles = { readonly certFile: string; readonly keyFile: string };
/** PEM; `cert` may be a whole chain, the server's own certificate first. */
export type TlsMaterial = { readonly cert: string; readonly key: string; readonly validToMs: number };
export type ReadTls =
  | { readonly kind: 'material'; readonly material: TlsMaterial }
  /** Without a word of the key. */
  | { readonly kind: 'problem'; readonly line: string };

export function readTls({ certFile, keyFile }: TlsFiles, nowMs: number): ReadTls {
  const cert = readText('FLEET_TLS_CERT', certFile);
  const key = readText('FLEET_TLS_KEY', keyFile);
  if (typeof cert !== 'string') return cert;
  if (typeof key !== 'string') return key;
  return judgeTls(cert, key, { certFile, keyFile }, nowMs);
}

/** Pure. */
export function judgeTls(cert: string, key: string, { certFile, keyFile }: TlsFiles, nowMs: number): ReadTls {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(cert);
  } catch {
    return problem(`FLEET_TLS_CERT: expected a certificate in PEM in ${certFile}, got something else`);
  }
  let privateKey: ReturnType<typeof createPrivateKey>;
  try {
    privateKey = createPrivateKey(key);
  } catch {
    const came = key.includes('ENCRYPTED') ? 'one with a password' : 'something else';
    return problem(`FLEET_TLS_KEY: expected a private key in PEM without a password in ${keyFile}, got ${came}`);
  }
  if (!certificate.checkPrivateKey(privateKey)) {
    return problem(`FLEET_TLS_KEY: expected the key of the certificate in ${certFile}, got another one in ${keyFile}`);
  }
  const validToMs = Date.parse(certificate.validTo);
  if (nowMs > validToMs)
    return problem(`FLEET_TLS_CERT: expected a certificate that is valid now, got one in ${certFile} that ended on ${certificate.validTo}`);
  if (nowMs < Date.parse(certificate.validFrom)) {
    return problem(
      `FLEET_TLS_CERT: expected a certificate that is valid now, got one in ${certFile} that begins on ${certificate.validFrom}: is the clock right?`,
    );
  }
  return { kind: 'material', material: { cert, key, validToMs } };
}

function readText(variable: string, path: string): string | ReadTls {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'an error';
    return problem(`${variable}: expected a file that can be read, got ${code} at ${path}`);
  }
}

function problem(line: string): ReadTls {
  return { kind: 'problem', line };
}
