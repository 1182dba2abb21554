import { expect, test } from 'vitest';
import { CommandJournal, maxKeptCommands } from '#device/uplink/command-journal.ts';
import { type ActionOutcome, type CommandActions, CommandRunner, type SayProgress } from '#device/uplink/command-runner.ts';
import { commandDefinitions } from '#protocol/commands.ts';
import type { Command, CommandProgress, CommandResult } from '#protocol/messages.ts';
import { manualClock, settle } from '../manual-clock.ts';
import { quietLog } from '../quiet-log.ts';
import { MemoryState } from './memory-state.ts';

type Finish = (outcome: ActionOutcome) => void;

async function startedRunner(state = new MemoryState(), bootId = 'boot-1') {
  const clock = manualClock();
  const results: CommandResult[] = [];
  const begun: string[] = [];
  const finish: Finish[] = [];
  const given: unknown[] = [];
  const progress: CommandProgress[] = [];
  const say: SayProgress[] = [];
  const action = (name: string) => (argument: unknown, sayProgress: SayProgress) => {
    say.push(sayProgress);
    begun.push(name);
    given.push(argument);
    return new Promise<ActionOutcome>((resolve) => finish.push(resolve));
  };
  const runner = new CommandRunner({
    journal: new CommandJournal(state, bootId),
    clock,
    log: quietLog(),
    actions: Object.fromEntries(Object.keys(commandDefinitions).map((kind) => [kind, action(kind)])) as CommandActions,
    onProgress: (said) => progress.push(said),
    onResult: (result) => results.push(result),
  });
  await runner.start();
  return { runner, clock, results, begun, given, finish, progress, say, state };
}

function command(id = 'command-1', kind = 'restart-pipeline', given: Command['arguments'] = {}): Command {
  return { id, kind, arguments: given, deadline: '2026-11-21T12:01:00Z' };
}

test('the result comes when it has happened, not before', async () => {
  const { runner, results, begun, finish } = await startedRunner();
  runner.receive(command(), 60_000);
  await settle();
  expect(begun).toEqual(['restart-pipeline']);
  expect(results).toEqual([]);
  finish[0]?.({ kind: 'applied' });
  await settle();
  expect(results).toEqual([{ id: 'command-1', outcome: 'done', detail: 'frames are coming' }]);
});

test('delivered again while it runs and afterwards: done once, answered again', async () => {
  const { runner, results, begun, finish } = await startedRunner();
  runner.receive(command(), 60_000);
  runner.receive(command(), 60_000);
  await settle();
  runner.receive(command(), 60_000);
  finish[0]?.({ kind: 'failed', reason: 'no camera' });
  await settle();
  runner.receive(command(), 60_000);
  await settle();
  expect(begun).toHaveLength(1);
  const expected = { id: 'command-1', outcome: 'failed', detail: 'no camera' };
  expect(results).toEqual([expected, expected]);
});

test('done once over a restart of the agent: the result is known', async () => {
  const first = await startedRunner();
  first.runner.receive(command(), 60_000);
  await settle();
  first.finish[0]?.({ kind: 'applied' });
  await settle();
  const second = await startedRunner(first.state);
  second.runner.receive(command(), 60_000);
  await settle();
  expect(second.begun).toEqual([]);
  expect(second.results).toEqual(first.results);
});

test('begun and cut off by a kill: not begun again, answered as failed', async () => {
  const first = await startedRunner();
  first.runner.receive(command(), 60_000);
  await settle();
  const second = await startedRunner(first.state);
  expect(second.results).toEqual([{ id: 'command-1', outcome: 'failed', detail: 'the agent was restarted while it did this' }]);
  second.runner.receive(command(), 60_000);
  await settle();
  expect(second.begun).toEqual([]);
  expect(second.results).toHaveLength(2);
});

test.each([
  ['after its deadline', command(), -1, 'expired'],
  ['with a deadline that is no time', command(), Number.NaN, 'expired'],
  ['of an unknown kind', command('command-2', 'make-coffee'), 60_000, 'refused'],
])('a command %s is not done', async (_name, wanted, timeLeftMs, outcome) => {
  const { runner, results, begun } = await startedRunner();
  runner.receive(wanted, timeLeftMs);
  await settle();
  expect(begun).toEqual([]);
  expect(results).toMatchObject([{ id: wanted.id, outcome }]);
});

test('one after the other; who waits beyond the deadline has expired', async () => {
  const { runner, clock, results, begun, finish } = await startedRunner();
  runner.receive(command('command-1'), 60_000);
  runner.receive(command('command-2', 'restart-media-host'), 5000);
  await clock.advance(6000);
  expect(begun).toEqual(['restart-pipeline']);
  finish[0]?.({ kind: 'applied' });
  await settle();
  expect(begun).toEqual(['restart-pipeline']);
  expect(results).toMatchObject([
    { id: 'command-1', outcome: 'done' },
    { id: 'command-2', outcome: 'expired' },
  ]);
});

test('one that hangs fails at its deadline', async () => {
  const { runner, clock, results } = await startedRunner();
  runner.receive(command(), 60_000);
  await clock.advance(60_000);
  expect(results).toMatchObject([{ outcome: 'failed', detail: 'not finished at its deadline' }]);
});

test('a read-only card does not keep a pipeline from being restarted', async () => {
  const { runner, begun, state } = await startedRunner();
  state.failure = Object.assign(new Error('no'), { code: 'EROFS' });
  runner.receive(command(), 60_000);
  await settle();
  expect(begun).toEqual(['restart-pipeline']);
});

test('what a disk refused is written again: after a power cut it is not done a second time', async () => {
  const { runner, clock, state, finish } = await startedRunner();
  state.failure = Object.assign(new Error('no'), { code: 'EROFS' });
  runner.receive(command(), 60_000);
  await settle();
  finish[0]?.({ kind: 'applied' });
  await clock.advance(11_000);
  state.failure = null;
  await clock.advance(5000);
  const second = await startedRunner(state);
  second.runner.receive(command(), 60_000);
  await settle();
  expect(second.begun).toEqual([]);
  expect(second.results).toEqual([{ id: 'command-1', outcome: 'done', detail: 'frames are coming' }]);
});

test('only so many ids are kept', async () => {
  const { runner, state } = await startedRunner();
  for (let id = 0; id < maxKeptCommands + 30; id += 1) runner.receive(command(`expired-${id}`), -1);
  await settle();
  const kept: { commands: { id: string }[] } = JSON.parse(state.files.get('commands.json') ?? '');
  expect(kept.commands).toHaveLength(maxKeptCommands);
  expect(kept.commands[0]?.id).toBe('expired-30');
});

test('arguments are checked against the kind and handed on', async () => {
  const { runner, results, begun, given } = await startedRunner();
  runner.receive(command('command-1', 'identify', { durationS: 0 }), 60_000);
  runner.receive(command('command-2', 'restart-pipeline', { element: 'x' }), 60_000);
  runner.receive(command('command-3', 'protect-recording'), 60_000);
  runner.receive(command('command-4', 'identify', { durationS: 5 }), 60_000);
  await settle();
  expect(results).toEqual([
    { id: 'command-1', outcome: 'refused', detail: 'arguments/durationS must be >= 1' },
    { id: 'command-2', outcome: 'refused', detail: expect.stringContaining('must not have additional properties') },
    { id: 'command-3', outcome: 'refused', detail: 'arguments must have required properties name' },
  ]);
  expect(begun).toEqual(['identify']);
  expect(given).toEqual([{ durationS: 5 }]);
});

test('refused in words, and found in lines', async () => {
  const { runner, results, finish } = await startedRunner();
  runner.receive(command('command-1', 'reboot'), 60_000);
  runner.receive(command('command-2', 'run-doctor'), 60_000);
  await settle();
  finish[0]?.({ kind: 'refused', reason: 'not allowed here' });
  await settle();
  finish[1]?.({ kind: 'applied', detail: '1 pass', lines: Array.from({ length: 100 }, () => 'x'.repeat(600)) });
  await settle();
  expect(results[0]).toEqual({ id: 'command-1', outcome: 'refused', detail: 'not allowed here' });
  expect(results[1]).toMatchObject({ outcome: 'done', detail: '1 pass' });
  expect(results[1]?.lines).toHaveLength(60);
  expect(results[1]?.lines?.[0]).toHaveLength(500);
});

test('an agent that ended because it was told to answers when it is back, once', async () => {
  const first = await startedRunner();
  first.runner.receive(command('command-1', 'restart-agent'), 60_000);
  await settle();
  expect(first.results).toEqual([]);
  const second = await startedRunner(first.state);
  expect(second.results).toEqual([{ id: 'command-1', outcome: 'done', detail: 'the agent is back' }]);
  second.runner.receive(command('command-1', 'restart-agent'), 60_000);
  await settle();
  expect(second.begun).toEqual([]);
});

test.each([
  ['boot-2', 'done', 'the board is back'],
  ['boot-1', 'failed', 'the agent is back, and the board was not restarted in between'],
])('a board that was told to restart: in boot %s it is %s', async (bootId, outcome, detail) => {
  const first = await startedRunner();
  first.runner.receive(command('command-1', 'reboot'), 60_000);
  await settle();
  expect((await startedRunner(first.state, bootId)).results).toEqual([{ id: 'command-1', outcome, detail }]);
});

test('what ends the agent is not done where nobody could remember it', async () => {
  const { runner, begun, results, state } = await startedRunner();
  state.failure = Object.assign(new Error('no'), { code: 'EROFS' });
  runner.receive(command('command-1', 'restart-agent'), 60_000);
  await settle();
  expect(begun).toEqual([]);
  expect(results).toMatchObject([{ outcome: 'failed', detail: 'the device cannot write down that it did this (EROFS)' }]);
});

test('what is done within a second is not said to have begun', async () => {
  const { runner, clock, finish, progress } = await startedRunner();
  runner.receive(command(), 60_000);
  await clock.advance(999);
  finish[0]?.({ kind: 'applied' });
  await clock.advance(60_000);
  expect(progress).toEqual([]);
});

test('what takes longer says how far it is after a second and every five from then on, until it is done', async () => {
  const { runner, clock, results, finish, progress, say } = await startedRunner();
  runner.receive(command('command-1', 'run-doctor'), 60_000);
  runner.receive(command('command-2', 'identify'), 60_000);
  await clock.advance(1000);
  expect(progress).toEqual([{ id: 'command-1', elapsedMs: 1000, detail: '' }]);
  say[0]?.('1 check made');
  say[0]?.('2 checks made'.padEnd(300, '.'));
  await clock.advance(10_000);
  expect(progress.slice(1)).toEqual([
    { id: 'command-1', elapsedMs: 6000, detail: '2 checks made'.padEnd(200, '.') },
    { id: 'command-1', elapsedMs: 11_000, detail: '2 checks made'.padEnd(200, '.') },
  ]);
  finish[0]?.({ kind: 'applied' });
  await settle();
  // The next one has begun only now.
  await clock.advance(1000);
  expect(progress.slice(3)).toEqual([{ id: 'command-2', elapsedMs: 1000, detail: '' }]);
  finish[1]?.({ kind: 'applied' });
  await clock.advance(60_000);
  expect(progress).toHaveLength(4);
  expect(results).toHaveLength(2);
});

test('one that hangs says nothing any more after its deadline, and none does once the agent stops', async () => {
  const { runner, clock, progress } = await startedRunner();
  runner.receive(command(), 3000);
  runner.receive(command('command-2'), 60_000);
  await clock.advance(60_000);
  expect(progress.filter(({ id }) => id === 'command-1')).toHaveLength(1);
  const before = progress.length;
  runner.receive(command('command-3'), 60_000);
  await clock.advance(2000);
  expect(progress.length).toBe(before + 1);
  await runner.stop();
  await clock.advance(30_000);
  expect(progress.length).toBe(before + 1);
});
