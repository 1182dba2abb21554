import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readTls } from '#fleet-server/tls/certificate.ts';
import { Authority } from './authority.ts';

const folder = mkdtempSync(join(tmpdir(), 'msl-tls-'));
afterAll(() => rmSync(folder, { recursive: true }));
const authority = new Authority(folder);
const one = authority.issue('one');
const two = authority.issue('two');
const nothing = join(folder, 'nothing.pem');
const text = join(folder, 'text.pem');
writeFileSync(text, 'no certificate');
const encrypted = join(folder, 'encrypted.key');
writeFileSync(encrypted, '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n');
const nowMs = Date.now();
const dayMs = 24 * 3_600_000;

test('a certificate and its key are taken', () => {
  const read = readTls(one, nowMs);
  if (read.kind !== 'material') throw new Error(read.line);
  expect(read.material.validToMs).toBeGreaterThan(nowMs + dayMs);
});

test.each([
  [{ ...one, certFile: nothing }, nowMs, /^FLEET_TLS_CERT: expected a file that can be read, got ENOENT/],
  [{ ...one, keyFile: nothing }, nowMs, /^FLEET_TLS_KEY: expected a file that can be read, got ENOENT/],
  [{ ...one, certFile: text }, nowMs, /^FLEET_TLS_CERT: expected a certificate in PEM/],
  [{ ...one, keyFile: text }, nowMs, /^FLEET_TLS_KEY: expected a private key in PEM .*, got something else$/],
  [{ ...one, keyFile: encrypted }, nowMs, /got one with a password$/],
  [{ ...one, keyFile: two.keyFile }, nowMs, /^FLEET_TLS_KEY: expected the key of the certificate/],
  [one, nowMs + 3 * dayMs, /^FLEET_TLS_CERT: expected a certificate that is valid now, got one .* that ended on/],
  [one, nowMs - dayMs, /that begins on .* is the clock right/],
])('what cannot be served is said in one line: %o', (files, atMs, expected) => {
  const read = readTls(files, atMs);
  expect(read.kind === 'problem' ? read.line : '').toMatch(expected);
});
