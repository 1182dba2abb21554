import { expect, test } from 'vitest';
import { EscalationMemory } from '#device/health/escalation.ts';
import { Escalator, lookIntervalMs } from '#device/health/escalator.ts';
import { StateDirectory, stateFile } from '#device/state/state-directory.ts';
import type { MediaState } from '#protocol/media.ts';
import { until } from '../../until.ts';
import { type ManualClock, manualClock } from '../manual-clock.ts';
import { startHost } from '../media/supervised-host.ts';
import { testPlan } from '../media/test-plan.ts';
import { quietLog } from '../quiet-log.ts';
import { noSmallDisk, smallDisk } from '../recording/small-disk.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const memoryFile = stateFile('escalation.json', EscalationMemory, { reservedBytes: 4096 });
const failed: MediaState = { kind: 'failed', since: '2026-11-21T12:00:00Z', reason: 'broken' };

async function started(clock: ManualClock, state: Pick<StateDirectory, 'read' | 'write' | 'reserve'>, mayReboot = false) {
  const done: string[] = [];
  const step = (name: string) => async (cause: string) => void done.push(`${name}: ${cause}`);
  const escalator = new Escalator({
    clock,
    log: quietLog(),
    state,
    bootId: 'boot-1',
    observe: () => ({ media: failed, framesTotal: 0, captureLosses: 0, isSourceThere: true, mayReboot }),
    record: (kind, detail) => done.push(`event ${kind}: ${detail}`),
    steps: { 'media-host': step('host'), agent: step('agent'), reboot: step('reboot') },
  });
  await escalator.start();
  return { escalator, done };
}

/** Files are written for real, so each look is given time of the real world. */
async function pass(clock: ManualClock, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += lookIntervalMs / 1000) {
    await clock.advance(lookIntervalMs);
    await until('what was begun to be done', 5000, () => clock.waitingTimers() === 1);
  }
}

async function stateDirectory(): Promise<StateDirectory> {
  const state = new StateDirectory(await temporaryDirectory(), quietLog());
  await state.start();
  return state;
}

test('each step is said with its cause before it is taken, and is known to the next agent', async () => {
  const state = await stateDirectory();
  const clock = manualClock();
  const first = await started(clock, state);
  await pass(clock, 30);
  expect(first.done).toEqual(['event media-host-replaced: broken', 'host: broken']);
  await pass(clock, 110);
  expect(first.done.slice(-2)).toEqual(['event agent-restarted: broken', 'agent: broken']);
  first.escalator.stop();
  first.escalator.stop();
  expect(clock.waitingTimers()).toBe(0);
  expect((await state.read(memoryFile))?.taken.map(({ step }) => step)).toEqual(['media-host', 'media-host', 'agent']);
  const second = await started(clock, state);
  await pass(clock, 3000);
  expect(second.done).toEqual(['event agent-restarted: broken', 'agent: broken']);
  second.escalator.stop();
});

test('a disk that cannot be written: the host is replaced, and nothing that would be forgotten is done', async () => {
  const clock = manualClock();
  const refusing = { read: async () => null, write: () => Promise.reject(new Error('EROFS')), reserve: async () => undefined };
  const { escalator, done } = await started(clock, refusing, true);
  await pass(clock, 3000);
  expect(new Set(done)).toEqual(new Set(['event media-host-replaced: broken', 'host: broken']));
  expect(done).toHaveLength(4);
  escalator.stop();
});

test.skipIf(noSmallDisk !== null)('a full disk keeps no step from being taken, also where none ever was before', async () => {
  const disk = await smallDisk(1);
  const state = new StateDirectory(disk.path, quietLog());
  const clock = manualClock();
  const { escalator, done } = await started(clock, state);
  await disk.fillUp('ballast');
  await pass(clock, 140);
  expect(done.slice(-2)).toEqual(['event agent-restarted: broken', 'agent: broken']);
  escalator.stop();
  const kept = await new StateDirectory(disk.path, quietLog()).read(memoryFile);
  expect(kept?.taken.map(({ step }) => step)).toEqual(['media-host', 'media-host', 'agent']);
});

test('a damaged memory is set aside', async () => {
  const state = await stateDirectory();
  await state.write({ name: 'escalation.json', check: (value): value is object => typeof value === 'object' }, { taken: 'all of it' });
  const clock = manualClock();
  const { escalator, done } = await started(clock, state);
  await pass(clock, 30);
  expect(done).toEqual(['event media-host-replaced: broken', 'host: broken']);
  escalator.stop();
});

test('a real media host whose pipeline can never run is replaced twice, then the agent is given up twice, and no more within the hour', async () => {
  const state = await stateDirectory();
  const clock = manualClock();
  const host = await startHost();
  const { supervisor } = host;
  const plan = testPlan({ description: 'no-such-element ! appsink name=tags', bitrateKbps: null });
  expect(await supervisor.apply(plan)).toMatchObject({ kind: 'failed' });
  const processes = new Set([supervisor.processId()]);
  const done: string[] = [];
  const lived = async (seconds: number) => {
    let hasEnded = false;
    const escalator = new Escalator({
      clock,
      log: quietLog(),
      state,
      bootId: 'boot-1',
      observe: () => {
        const { media, framesTotal } = host.status();
        return { media, framesTotal, captureLosses: 0, isSourceThere: true, mayReboot: false };
      },
      record: (kind, detail) => done.push(`${kind}: ${detail}`),
      steps: {
        'media-host': async () => {
          await supervisor.restartHost();
          await until('the failure of the new host', 10_000, () => supervisor.status()?.media.kind === 'failed');
          processes.add(supervisor.processId());
        },
        // The process of a test is not ended: the next agent begins where this one stops.
        agent: async () => {
          hasEnded = true;
          escalator.stop();
        },
        reboot: () => Promise.reject(new Error('nobody has allowed this')),
      },
    });
    await escalator.start();
    for (let second = 0; second < seconds && !hasEnded; second += lookIntervalMs / 1000) {
      await clock.advance(lookIntervalMs);
      await until('the look is over', 20_000, () => clock.waitingTimers() === 1 || hasEnded);
    }
    escalator.stop();
  };
  for (const agent of [1, 2, 3]) {
    await lived(1100);
    expect(done.filter((event) => event.startsWith('agent-restarted'))).toHaveLength(Math.min(agent, 2));
  }
  expect(done).toEqual([
    'media-host-replaced: no element "no-such-element"',
    'media-host-replaced: no element "no-such-element"',
    'agent-restarted: no element "no-such-element"',
    'agent-restarted: no element "no-such-element"',
  ]);
  expect(processes.size).toBe(3);
});
