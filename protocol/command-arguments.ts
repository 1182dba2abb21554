/** Whether the arguments of a command are those of its kind: asked at the server before it is stored, and at the device before it is done. */
import { type CommandArguments, type CommandKind, commandDefinitions } from '#protocol/commands.ts';
import { type Check, compile } from '#protocol/compile.ts';

const checks = Object.fromEntries(
  Object.entries(commandDefinitions).map(([kind, definition]) => [kind, compile(`arguments of ${kind}`, definition.arguments)]),
) as { readonly [K in CommandKind]: Check<CommandArguments<K>> };

const maxProblemLength = 300;

export type CheckedArguments<K extends CommandKind> =
  | { readonly kind: 'arguments'; readonly arguments: CommandArguments<K> }
  /** Which fields are wrong and what was expected of them; never a value. */
  | { readonly kind: 'problem'; readonly problem: string };

export function checkArguments<K extends CommandKind>(kind: K, given: unknown): CheckedArguments<K> {
  const check: Check<CommandArguments<K>> = checks[kind];
  if (check.Check(given)) return { kind: 'arguments', arguments: given };
  const problems = check.Errors(given).map(({ instancePath, message }) => `arguments${instancePath} ${message}`);
  return { kind: 'problem', problem: problems.join('; ').slice(0, maxProblemLength) };
}
