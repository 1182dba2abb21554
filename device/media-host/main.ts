/**
 * The media host: `node main.ts <state directory>`. Captures, encodes and sends; knows no settings, no fleet and no network
 * but its outputs. Its plan and its secrets come over its socket alone.
 */
import { writeFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import * as nodeModule from 'node:module';
import { systemClock } from '#device/media/clock.ts';
import { hostFiles } from '#device/media/host-files.ts';
import type { HostMessage, HostRequest } from '#device/media/host-protocol.ts';
import { AgentDoor } from '#device/media-host/agent-door.ts';
import { gstreamerVersion } from '#device/media-host/gstreamer-version.ts';
import { MediaEngine } from '#device/media-host/media-engine.ts';

const protocolVersion = 1;
const exitCodes = { usage: 2, occupied: 3 } as const;
const statusIntervalMs = 1000;
const aliveIntervalMs = 500;
/** The agent waits 1.5 s for our goodbye: a disk that has not taken the rest of a recording by then has lost it. */
const settleBoundMs = 1000;
/** States that change in one moment are told in one message. */
const statusDelayMs = 20;
/** Ctrl-C reaches the whole process group: the agent then stops us in order. If it does not, we stop by ourselves. */
const orphanBoundMs = 3000;

const stateDirectory = process.argv[2];
if (stateDirectory === undefined || process.argv.length !== 3) {
  process.stderr.write('expected one argument, the state directory\n');
  process.exit(exitCodes.usage);
}
process.umask(0o077);
const files = hostFiles(stateDirectory);
const version = gstreamerVersion(await readFile('/proc/self/maps', 'utf8'));

const engine = new MediaEngine({
  clock: systemClock,
  random: Math.random,
  recordingDirectory: process.env['RECORDINGS_DIRECTORY'] ?? files.recordings,
  onState: () => sendStatusSoon(),
  onEvent: (event, detail) => door.send({ kind: 'event', event, detail }),
  onPreview: (jpeg) => {
    if (door.hasAgent) door.send({ kind: 'preview', jpegBase64: jpeg.toString('base64') });
  },
});

const door = new AgentDoor(files.socket, {
  welcome: (): HostMessage => ({
    kind: 'welcome',
    version: protocolVersion,
    processId: process.pid,
    gstreamerVersion: version,
    plan: engine.plan,
    status: engine.status(),
  }),
  onRequest: (request) => void answer(request),
});

async function answer(request: HostRequest): Promise<void> {
  switch (request.kind) {
    case 'apply':
      sendResult(request.id, await engine.apply(request.plan));
      return;
    case 'restart-capture':
      sendResult(request.id, await engine.restartCapture());
      return;
    case 'picture': {
      const taken = await engine.nextPicture();
      if (taken.kind === 'picture') door.send({ kind: 'picture', flvBase64: taken.flv.toString('base64') });
      door.send({ kind: 'result', id: request.id, problem: taken.kind === 'picture' ? null : taken.problem });
      return;
    }
    case 'shutdown':
      await stop(() => door.send({ kind: 'result', id: request.id, problem: null }));
      return;
    default:
      request satisfies never;
  }
}

/** The status comes first: whoever has the result may ask for the status at once. */
function sendResult(id: number, problem: string | null): void {
  door.send({ kind: 'status', status: engine.status() });
  door.send({ kind: 'result', id, problem });
}

let isStatusDue = false;
function sendStatusSoon(): void {
  if (isStatusDue) return;
  isStatusDue = true;
  systemClock.schedule(() => {
    isStatusDue = false;
    door.send({ kind: 'status', status: engine.status() });
  }, statusDelayMs);
}

const sampling = setInterval(() => {
  engine.sample();
  door.send({ kind: 'status', status: engine.status() });
}, statusIntervalMs);

const beating = setInterval(() => door.send({ kind: 'alive' }), aliveIntervalMs);

let isStopping = false;
async function stop(sayGoodbye: () => void = () => undefined): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  clearInterval(sampling);
  clearInterval(beating);
  await Promise.race([engine.stop(), new Promise<void>((resolve) => systemClock.schedule(resolve, settleBoundMs))]);
  sayGoodbye();
  await door.close();
  await rm(files.processId, { force: true });
  // A bus poll that waits in a thread of the pool for ever would hold up every gentler exit; all is closed by now.
  process.kill(process.pid, 'SIGKILL');
}

process.on('SIGTERM', () => void stop());
for (const signal of ['SIGINT', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (door.hasAgent) systemClock.schedule(() => void stop(), orphanBoundMs);
    else void stop();
  });
}
// Our standard error may be a pipe to an agent that is gone.
process.stderr.on('error', () => undefined);

if (!(await door.open())) {
  process.stderr.write(`another media host has ${files.socket}\n`);
  process.exit(exitCodes.occupied);
}
try {
  // At once, so that it is there before the first agent is let in.
  writeFileSync(files.processId, `${process.pid}\n`, { mode: 0o600 });
} catch {
  // It is only a help for an agent that finds us hanging: a disk that became full just now must not end the stream.
}
engine.start();
// The cache is otherwise written at an orderly exit, which never comes. Node 20 has no such function and no need of one.
(nodeModule as { flushCompileCache?: () => void }).flushCompileCache?.();
