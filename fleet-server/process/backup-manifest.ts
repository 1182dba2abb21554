/** What a backup says of itself. */
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { FleetError } from '#fleet-server/errors.ts';

export const manifestName = 'manifest.json';
export const storeName = 'fleet.sqlite';
export const keyName = 'secret.key';

export const BackupManifest = Type.Object({
  kind: Type.Literal('makespacelive-backup'),
  /** Of this document; one that is not known is refused. */
  format: Type.Literal(1),
  madeAt: Type.String(),
  /** `postgresql`: the database itself is not in it. */
  engine: Type.Enum(['sqlite', 'postgresql']),
  schemaVersion: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]),
  files: Type.Array(
    Type.Object({ name: Type.Enum([storeName, keyName]), bytes: Type.Integer(), sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) }),
    { minItems: 1, maxItems: 2 },
  ),
});
export type BackupManifest = Static<typeof BackupManifest>;
export type BackupFile = BackupManifest['files'][number];

export async function describeFile(directory: string, name: BackupFile['name']): Promise<BackupFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(createReadStream(join(directory, name)), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  });
  return { name, bytes, sha256: hash.digest('hex') };
}

/** Its files are there and are what they were. */
export async function readBackup(directory: string): Promise<BackupManifest> {
  const manifest = readManifest(directory);
  for (const file of manifest.files) {
    const found = await describeFile(directory, file.name).catch((cause: unknown) => {
      throw new FleetError('store-damaged', `Expected the file ${file.name} in the backup ${directory}, and it cannot be read.`, { cause });
    });
    if (found.sha256 === file.sha256) continue;
    throw new FleetError(
      'store-damaged',
      `Expected in the backup ${directory} the file ${file.name} of ${file.bytes} bytes as it was written, got another one of ${found.bytes} bytes: use another backup.`,
    );
  }
  return manifest;
}

function readManifest(directory: string): BackupManifest {
  let manifest: unknown;
  try {
    manifest = JSON.parse(readFileSync(join(directory, manifestName), 'utf8'));
  } catch (cause) {
    throw new FleetError('store-damaged', `Expected a backup in ${directory}, and its ${manifestName} cannot be read.`, { cause });
  }
  if (Value.Check(BackupManifest, manifest)) return manifest;
  throw new FleetError(
    'store-damaged',
    `Expected a ${manifestName} of format 1 in ${directory}, got another: was it made by a newer fleet server?`,
  );
}
