/** Which subcommand is meant, with which options. What is wrong is said in one line. */
import { parseArgs } from 'node:util';
import { defaultSubcommand, type OptionValues, type Subcommand, type Subcommands } from '#device/command-line/subcommands.ts';

export type CommandLine =
  | { readonly kind: 'run'; readonly name: string; readonly subcommand: Subcommand; readonly options: OptionValues }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'problem'; readonly problem: string };

/** As many characters of what somebody typed as are repeated to them. */
const shownCharacters = 60;

export function readCommandLine(words: readonly string[], subcommands: Subcommands): CommandLine {
  if (words.some((word) => word === '--help' || word === '-h')) return { kind: 'help' };
  if (words.includes('--version')) return { kind: 'version' };
  const isNamed = words[0] !== undefined && !words[0].startsWith('-');
  const name = isNamed ? (words[0] ?? '') : defaultSubcommand;
  const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  if (subcommand === undefined) return refuse(`expected one of ${Object.keys(subcommands).join(', ')}`, name);
  return readOptions(name, subcommand, words.slice(isNamed ? 1 : 0));
}

function readOptions(name: string, subcommand: Subcommand, words: readonly string[]): CommandLine {
  const names = Object.keys(subcommand.options);
  const known = names.length === 0 ? 'no option' : `one of ${names.map((option) => `--${option}`).join(', ')}`;
  // Not strict: its refusals are of several lines, and name the caller of parseArgs.
  const { values, tokens } = parseArgs({
    args: [...words],
    options: subcommand.options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === 'option-terminator') return refuse(`${name}: expected ${known}`, '--');
    if (token.kind === 'positional') return refuse(`${name}: expected ${known}`, token.value);
    const option = Object.hasOwn(subcommand.options, token.name) ? subcommand.options[token.name] : undefined;
    if (option === undefined) return refuse(`${name}: expected ${known}`, token.rawName);
    if (option.type === 'string' && (token.value === undefined || token.value === '')) {
      return refuse(`${name}: expected a value behind ${token.rawName}`, 'nothing');
    }
    if (option.type === 'boolean' && token.value !== undefined) {
      return refuse(`${name}: expected no value behind ${token.rawName}`, token.value);
    }
  }
  return { kind: 'run', name, subcommand, options: { ...values } };
}

function refuse(expected: string, came: string): CommandLine {
  const shown = came.length > shownCharacters ? `${came.slice(0, shownCharacters)}…` : came;
  return { kind: 'problem', problem: `makespacelive: ${expected}, came ${JSON.stringify(shown)} (see makespacelive --help)` };
}
