import { expect, test } from 'vitest';
import { helpText } from '#device/command-line/help.ts';
import { subcommands } from '#device/command-line/subcommands.ts';

test('help names every subcommand and every option, in lines that a terminal holds', () => {
  const text = helpText(subcommands);
  for (const [name, { description, options }] of Object.entries(subcommands)) {
    expect(text).toContain(`  ${name} `);
    expect(text).toContain(description);
    for (const option of Object.keys(options)) expect(text).toContain(`--${option}`);
  }
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(140);
});

test('an option with a value is shown as one', () => {
  const load = async () => async () => 0;
  const text = helpText({ doctor: { description: 'looks', options: { only: { type: 'string', description: 'one check' } }, load } });
  expect(text).toContain('    --only …  one check');
});
