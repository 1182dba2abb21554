import { expect, test } from 'vitest';
import { readCommandLine } from '#device/command-line/read-command-line.ts';
import type { Subcommands } from '#device/command-line/subcommands.ts';

const load = async () => async () => 0;
const table: Subcommands = {
  agent: { description: 'streams', options: { 'print-pipeline': { type: 'boolean', description: 'prints' } }, load },
  doctor: {
    description: 'looks',
    options: { json: { type: 'boolean', description: 'JSON' }, only: { type: 'string', description: 'one' } },
    load,
  },
  hello: { description: 'greets', options: {}, load },
};

function read(...words: string[]) {
  const { kind, ...rest } = readCommandLine(words, table);
  return { kind, ...rest };
}

test.each([
  [[], 'agent', {}],
  [['agent'], 'agent', {}],
  [['--print-pipeline'], 'agent', { 'print-pipeline': true }],
  [['agent', '--print-pipeline'], 'agent', { 'print-pipeline': true }],
  [['doctor', '--json', '--only', 'disk'], 'doctor', { json: true, only: 'disk' }],
  [['doctor', '--only=disk'], 'doctor', { only: 'disk' }],
  [['hello'], 'hello', {}],
])('%j runs %s', (words, name, options) => {
  expect(read(...words)).toMatchObject({ kind: 'run', name, options });
});

test.each([
  [['--help'], 'help'],
  [['-h'], 'help'],
  [['doctor', '--help'], 'help'],
  [['--version'], 'version'],
  [['agent', '--version'], 'version'],
])('%j is %s', (words, kind) => {
  expect(read(...words)).toEqual({ kind });
});

test.each([
  [['stream'], 'expected one of agent, doctor, hello, came "stream"'],
  [[''], 'expected one of agent, doctor, hello, came ""'],
  [['__proto__'], 'came "__proto__"'],
  [['constructor'], 'came "constructor"'],
  [['x'.repeat(10_000)], `came "${'x'.repeat(60)}…"`],
  [['a\nb'], 'came "a\\nb"'],
  [['--print-pipelines'], 'agent: expected one of --print-pipeline, came "--print-pipelines"'],
  [['--json'], 'agent: expected one of --print-pipeline, came "--json"'],
  [['--constructor'], 'agent: expected one of --print-pipeline, came "--constructor"'],
  [['-x'], 'came "-x"'],
  [['agent', 'twice'], 'agent: expected one of --print-pipeline, came "twice"'],
  [['agent', '--', 'more'], 'came "--"'],
  [['agent', '--print-pipeline=1'], 'agent: expected no value behind --print-pipeline, came "1"'],
  [['doctor', '--only'], 'doctor: expected a value behind --only, came "nothing"'],
  [['doctor', '--only='], 'doctor: expected a value behind --only, came "nothing"'],
  [['hello', '--json'], 'hello: expected no option, came "--json"'],
])('%j is one clear line', (words, problem) => {
  const line = read(...words);
  expect(line).toEqual({ kind: 'problem', problem: expect.stringContaining(problem) });
  expect('problem' in line && line.problem).toMatch(/^makespacelive: [^\n]+ \(see makespacelive --help\)$/);
});
