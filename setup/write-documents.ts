/** Writes the documents that are drawn from the code. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadProfiles } from '#device/profile/load.ts';
import { protocolDocument } from '#protocol/document.ts';
import { withHardwareTable } from '#setup/hardware-table.ts';

const root = join(import.meta.dirname, '..');
const readme = join(root, 'README.md');

writeFileSync(join(root, 'docs', 'protocol.md'), protocolDocument());
writeFileSync(readme, withHardwareTable(readFileSync(readme, 'utf8'), await loadProfiles()));
