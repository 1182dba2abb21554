/** What `makespacelive --help` says, drawn from the table. Pure. */
import type { Subcommands } from '#device/command-line/subcommands.ts';

export function helpText(subcommands: Subcommands): string {
  const rows = Object.entries(subcommands).flatMap(([name, { description, options }]) => [
    [name, description] as const,
    ...Object.entries(options).map(
      ([option, { type, description: words }]) => [`  --${option}${type === 'string' ? ' …' : ''}`, words] as const,
    ),
  ]);
  return [
    'makespacelive [SUBCOMMAND] [OPTIONS]',
    '',
    ...columns(rows),
    '',
    ...columns([
      ['--help', 'prints this'],
      ['--version', 'prints the version'],
    ]),
    '',
    'Settings come from the environment: AV_… (what is streamed, and how), FLEET_URL, FLEET_JOIN_TOKEN, AGENT_STATE_DIR.',
    '',
  ].join('\n');
}

function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, words]) => `  ${name.padEnd(width)}  ${words}`);
}
