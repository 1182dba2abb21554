/**
 * The checks of the agent's messages and files, written out as plain functions when the bundle is made: TypeBox with its
 * compiler would be 20 MB of the agent's memory. What a wrong message expected is worked out by TypeBox itself, from a file
 * beside the bundle that is read only then.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Plugin } from 'rolldown';
import type { TSchema } from 'typebox';
import { Code } from 'typebox/compile';
import { compiled } from '#protocol/compile.ts';

const root = join(import.meta.dirname, '..', '..');
const compileModule = join(root, 'protocol', 'compile.ts');
/** The file that explains, beside the bundle. */
export const explainingFile = 'explain-checks.cjs';

/** Loads modules of ours that make checks, and no others: what runs when it is loaded must not run here. */
export async function collectChecks(files: readonly string[]): Promise<void> {
  for (const file of files) await import(pathToFileURL(file).href);
  const names = compiled.map(({ name }) => name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  if (twice.length > 0) throw new Error(`expected a name of its own for each check, got twice: ${twice.join(', ')}`);
}

/** In the bundle: checks by name, and schemas that are only passed on. */
export function writtenChecks(): Plugin {
  return {
    name: 'written-checks',
    resolveId: (source) => (source === 'typebox' ? '\0typebox' : null),
    load(id) {
      if (id === '\0typebox') return schemalessTypebox;
      return id === compileModule ? writtenChecksModule() : null;
    },
  };
}

/** Spread, listed and nested, but never looked into: what does so belongs into no agent. */
const schemalessTypebox = `
const schema = Object.freeze({});
export const Type = new Proxy({}, { get: () => () => schema });
`;

/** What stands in the bundle for protocol/compile.ts: the checks that have been collected. */
export function writtenChecksModule(): string {
  return `
const characters = (text) => { let count = 0; for (const _ of text) count += 1; return count; };
const written = {
${compiled.map(({ name, validator }) => `${JSON.stringify(name)}: ${writeCheck(name, validator.Type())},`).join('\n')}
};
const explain = (name, value) =>
  process.getBuiltinModule('module').createRequire(import.meta.url)('./${explainingFile}').explain(name, value);
export function compile(name) {
  const check = written[name];
  if (check === undefined) throw new Error('expected a check that was there when the bundle was made, came ' + name);
  return { Check: check, Errors: (value) => explain(name, value) };
}
`;
}

/** The function that TypeBox writes, with the regular expressions that it keeps beside. */
function writeCheck(name: string, schema: TSchema): string {
  const { Code: module, External } = Code({}, schema);
  const patterns = External.variables.map((variable: unknown) => {
    if (variable instanceof RegExp) return String(variable);
    throw new Error(`the check ${name} cannot be written out: expected regular expressions beside it, got ${String(variable)}`);
  });
  const functions = module
    .split('\n')
    .filter((line) => /^(?:const|let) check_\d+ = /.test(line))
    .join('\n')
    .replaceAll('Guard.CodePointCount(', 'characters(');
  const entry = /export function Check\(value\) \{ return (check_\d+)\(value\) \}/.exec(module)?.[1];
  if (entry === undefined || functions === '' || /\b(?:Guard|Hashing|CheckContext)\b/.test(functions)) {
    throw new Error(`the check ${name} cannot be written out: expected code that stands alone, got\n${module}`);
  }
  return `((External) => { ${functions}\nreturn ${entry}; })([${patterns.join(', ')}])`;
}

/** The module that explains, as text: TypeBox whole, and the modules that make the checks. */
export function explainingModule(files: readonly string[]): string {
  return `
${files.map((file) => `import ${JSON.stringify(file)};`).join('\n')}
import { compiled } from ${JSON.stringify(compileModule)};
export const explain = (name, value) => compiled.find((check) => check.name === name).validator.Errors(value);
`;
}
