/**
 * Bundles the agent and its media host: what runs then is one file a process instead of a thousand modules, which takes more than
 * half off the agent's memory (130 to 65 MB resident). Outside stays the GStreamer binding, which is native, and what only
 * explains a failed check.
 */
import { readFileSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type InputOptions } from 'rolldown';
import { leanModules } from './bundle/lean-modules.ts';
import { packetNumbers } from './bundle/packet-numbers.ts';
import { collectChecks, explainingFile, explainingModule, writtenChecks } from './bundle/written-checks.ts';

const root = join(import.meta.dirname, '..');
/** Two levels below the root, as device/installation.ts expects it. */
const outputDirectory = join('.build', process.argv[2] ?? 'agent');
const input = { agent: 'device/main.ts', 'media-host': 'device/media-host/main.ts' };

const options: InputOptions = {
  cwd: root,
  platform: 'node',
  external: ['gstreamer-superficial', 'bufferutil', 'utf-8-validate'],
  // Types are stripped, nothing else: the container builds it without the projects' settings.
  tsconfig: false,
  logLevel: 'warn',
};
const minify = { compress: true, mangle: false, codegen: true } as const;

const modulesWithChecks = await findModulesWithChecks();
await collectChecks(modulesWithChecks);
await rm(join(root, outputDirectory), { recursive: true, force: true });
// Each by itself: together they would share their modules as a dozen more files.
for (const [name, file] of Object.entries(input)) {
  await build({
    ...options,
    input: { [name]: file },
    plugins: [leanModules(), packetNumbers(), writtenChecks()],
    output: { dir: outputDirectory, format: 'esm', codeSplitting: false, minify },
  });
}
await buildExplaining();

// It is the program `makespacelive` of package.json.
await chmod(join(root, outputDirectory, 'agent.js'), 0o755);

/** The agent's modules that make a check while they load. */
async function findModulesWithChecks(): Promise<readonly string[]> {
  const { output } = await build({ ...options, input, write: false });
  const modules = output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
  const makesChecks = (file: string) => /'#protocol\/compile\.ts'|\bstateFile\b/.test(readFileSync(file, 'utf8'));
  return modules.filter((file) => file.startsWith(root) && file.endsWith('.ts') && makesChecks(file));
}

async function buildExplaining(): Promise<void> {
  await build({
    ...options,
    input: '\0explaining',
    plugins: [
      {
        name: 'explaining',
        resolveId: (source) => (source === '\0explaining' ? source : null),
        load: (id) => (id === '\0explaining' ? explainingModule(modulesWithChecks) : null),
      },
    ],
    output: { file: join(outputDirectory, explainingFile), format: 'cjs', minify },
  });
}
