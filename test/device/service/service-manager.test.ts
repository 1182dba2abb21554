/** What systemd hears: from the pieces, and from the whole agent through the real systemd-notify. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { ServiceManager, serviceManagerOf } from '#device/service/service-manager.ts';
import { childEnvironment } from '../../child-environment.ts';
import { endProcessesWith } from '../../processes.ts';
import { until } from '../../until.ts';
import { agentProgram } from '../agent-program.ts';
import { manualClock, settle } from '../manual-clock.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { canReceive, startReceiver } from './notify-receiver.ts';

function manager(watchdogMs: number | null = 60_000) {
  const clock = manualClock();
  const said: (readonly string[])[] = [];
  const service = new ServiceManager({
    notify: async (words) => {
      said.push(words);
    },
    watchdogMs,
    monotonicMs: clock.monotonicMs,
  });
  const pulse = (framesTotal: number) => service.pulse({ media: 'running', framesTotal, statusesHeard: framesTotal });
  return { clock, said, service, pulse };
}

test('the watchdog is fed three times a period while frames come, and not once more', async () => {
  const { clock, said, pulse } = manager();
  for (let second = 0; second < 60; second += 1) {
    pulse(second * 30);
    await clock.advance(1000);
  }
  expect(said).toEqual([['WATCHDOG=1'], ['WATCHDOG=1'], ['WATCHDOG=1']]);
  for (let second = 0; second < 600; second += 1) {
    pulse(59 * 30);
    await clock.advance(1000);
  }
  expect(said).toHaveLength(4);
});

test('without a watchdog nothing is fed', () => {
  const { said, pulse } = manager(null);
  pulse(1);
  expect(said).toEqual([]);
});

test('what cannot be said, because no program can be started, ends nothing', async () => {
  const folder = await temporaryDirectory();
  await symlink(process.execPath, join(folder, 'systemd-notify'));
  // More than the system hands to a program (E2BIG).
  const service = serviceManagerOf({ NOTIFY_SOCKET: 'x'.repeat(200_000), PATH: folder }, process.pid, () => 0);
  service?.ready();
  await service?.stopping();
  service?.say('streaming');
  expect(await service?.stopping()).toBeUndefined();
});

test('what is said while a message is under way is kept, the newest of each kind', async () => {
  const said: (readonly string[])[] = [];
  let release: () => void = () => undefined;
  const service = new ServiceManager({
    notify: (words) =>
      new Promise((resolve) => {
        said.push(words);
        release = resolve;
      }),
    watchdogMs: null,
    monotonicMs: () => 0,
  });
  service.ready();
  for (let count = 0; count < 1000; count += 1) service.say(`line\n${count}`);
  release();
  await settle();
  expect(said).toEqual([['READY=1'], ['STATUS=line 999']]);
});

test('only what was meant for this process is taken from the environment', () => {
  expect(serviceManagerOf({}, 7, () => 0)).toBeNull();
  expect(serviceManagerOf({ NOTIFY_SOCKET: '' }, 7, () => 0)).toBeNull();
  expect(serviceManagerOf({ NOTIFY_SOCKET: '/run/x' }, 7, () => 0)).not.toBeNull();
});

const secret = 'not-for-systemctl-status';

test.skipIf(!canReceive)(
  'systemd hears that the agent is ready, what it streams, that frames come, and nothing more when it hangs (needs python3, systemd-notify)',
  async () => {
    const receiver = await startReceiver();
    const stateDirectory = join(await temporaryDirectory(), 'state');
    const settings = { AV_VIDEO_SOURCE: 'test', AV_STREAM_URL: 'rtmp://127.0.0.1:1/live', AV_STREAM_KEY: secret };
    const env = {
      ...childEnvironment(),
      AGENT_STATE_DIR: stateDirectory,
      NOTIFY_SOCKET: receiver.socket,
      WATCHDOG_USEC: '3000000',
      ...settings,
    };
    const agent = spawn(process.execPath, [agentProgram], { env, stdio: 'ignore' });
    onTestFinished(() => {
      endProcessesWith(stateDirectory, 'SIGKILL');
      agent.kill('SIGKILL');
    });
    await until('READY', 20_000, () => receiver.countOf('READY=1') === 1);
    await until('the watchdog fed three times', 20_000, () => receiver.countOf('WATCHDOG=1') >= 3);
    expect(receiver.lines.find((line) => line.startsWith('STATUS='))).toMatch(
      /^STATUS=streaming the test picture .*; to rtmp:\/\/127\.0\.0\.1:1\/live$/,
    );
    // A loop that hangs: no message comes any more, so that systemd ends the process and starts the next one.
    agent.kill('SIGSTOP');
    await delay(500);
    const fed = receiver.countOf('WATCHDOG=1');
    await delay(3500);
    expect(receiver.countOf('WATCHDOG=1')).toBe(fed);
    // What systemd does then must not end the stream.
    const host = Number(await readFile(join(stateDirectory, 'media-host.pid'), 'utf8'));
    const gone = once(agent, 'exit');
    agent.kill('SIGKILL');
    await gone;
    expect(process.kill(host, 0)).toBe(true);
    expect(receiver.lines.join('\n')).not.toContain(secret);
  },
);

test.skipIf(!canReceive)('an agent that is stopped says so first (needs python3, systemd-notify)', async () => {
  const receiver = await startReceiver();
  const service = serviceManagerOf({ NOTIFY_SOCKET: receiver.socket, PATH: process.env['PATH'] }, process.pid, performance.now);
  service?.say('on its way');
  await service?.stopping();
  expect(receiver.lines).toEqual(expect.arrayContaining(['STATUS=on its way', 'STOPPING=1']));
});
