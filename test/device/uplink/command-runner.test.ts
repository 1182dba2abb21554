import { expect, test } from 'vitest';
import type { ApplyOutcome } from '#device/media/media-host-supervisor.ts';
import { CommandJournal, maxKeptCommands } from '#device/uplink/command-journal.ts';
import { CommandRunner } from '#device/uplink/command-runner.ts';
import type { Command, CommandResult } from '#protocol/messages.ts';
import { manualClock, settle } from '../manual-clock.ts';
import { quietLog } from '../quiet-log.ts';
import { MemoryState } from './memory-state.ts';

type Finish = (outcome: ApplyOutcome) => void;

async function startedRunner(state = new MemoryState()) {
  const clock = manualClock();
  const results: CommandResult[] = [];
  const begun: string[] = [];
  const finish: Finish[] = [];
  const action = (name: string) => () => {
    begun.push(name);
    return new Promise<ApplyOutcome>((resolve) => finish.push(resolve));
  };
  const runner = new CommandRunner({
    journal: new CommandJournal(state),
    clock,
    log: quietLog(),
    actions: {
      'restart-pipeline': action('restart-pipeline'),
      'restart-media-host': action('restart-media-host'),
      'start-recording': action('start-recording'),
      'stop-recording': action('stop-recording'),
    },
    onResult: (result) => results.push(result),
  });
  await runner.start();
  return { runner, clock, results, begun, finish, state };
}

function command(id = 'command-1', kind = 'restart-pipeline'): Command {
  return { id, kind, arguments: {}, deadline: '2026-11-21T12:01:00Z' };
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

test('only so many ids are kept', async () => {
  const { runner, state } = await startedRunner();
  for (let id = 0; id < maxKeptCommands + 30; id += 1) runner.receive(command(`expired-${id}`), -1);
  await settle();
  const kept: { commands: { id: string }[] } = JSON.parse(state.files.get('commands.json') ?? '');
  expect(kept.commands).toHaveLength(maxKeptCommands);
  expect(kept.commands[0]?.id).toBe('expired-30');
});
