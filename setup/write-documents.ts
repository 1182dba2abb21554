/** Writes the documents that are drawn from the code. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { protocolDocument } from '#protocol/document.ts';

writeFileSync(join(import.meta.dirname, '..', 'docs', 'protocol.md'), protocolDocument());
