import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { NginxControl } from '#fleet-server/relay/nginx-control.ts';
import { NginxProcess } from '#fleet-server/relay/nginx-process.ts';
import { groupMembers, signalGroup } from '#fleet-server/relay/process-group.ts';
import { makeRuntimeDirectory, runtimePaths } from '#fleet-server/relay/runtime-directory.ts';
import { freePort } from '../../free-ports.ts';
import { until } from '../../until.ts';
import { manualClock } from '../manual-clock.ts';

/** In nginx's place: it takes no notice of SIGTERM, and what it answers is up to the test. */
const deaf = "#!/bin/sh\ntrap '' TERM\nwhile :; do /bin/sleep 0.1; done\n";
const dayMs = 86_400_000;

test('a clock that is set while nginx starts or ends neither cuts its time short nor spares it', async () => {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'msl-nginx-'));
  const program = join(dataDirectory, 'nginx');
  await writeFile(program, deaf, { mode: 0o755 });
  const paths = runtimePaths({ dataDirectory, isRoot: false, systemTemporaryDirectory: tmpdir() });
  await makeRuntimeDirectory(paths, null);
  const clock = manualClock();
  let looks = 0;
  const after = (ms: number, fn: () => void) => {
    looks += 1;
    return clock.after(ms, fn);
  };
  const look = async () => {
    const before = looks;
    await clock.advance(20);
    await until('another look', 5000, () => looks > before, 5);
  };
  const control = new NginxControl(paths.controlSocket);
  const rest = { config: '', rtmpPort: await freePort(), paths, control, onLine: () => undefined };
  const nginx = new NginxProcess({ program, clock: { ...clock, after }, ...rest });

  let isLaunched = false;
  const launched = nginx.launch().then(() => {
    isLaunched = true;
  });
  await until('a look', 5000, () => looks > 0, 5);
  const { processId } = JSON.parse(await readFile(paths.recordFile, 'utf8'));
  const answers = createServer((_request, response) => response.end());
  onTestFinished(async () => {
    answers.close();
    await signalGroup(processId, 'SIGKILL');
    await rm(dataDirectory, { recursive: true, force: true });
  });
  clock.set(dayMs);
  await look();
  await once(answers.listen(paths.controlSocket), 'listening');
  await until('the start of it', 5000, async () => {
    await clock.advance(20);
    return isLaunched;
  });
  await launched;

  const looksBefore = looks;
  let isEnded = false;
  const ended = nginx.end(processId).then(() => {
    isEnded = true;
  });
  await until('a look', 5000, () => looks > looksBefore, 5);
  clock.set(dayMs);
  await look();
  expect(await groupMembers(processId)).toEqual([processId]);
  clock.set(-3 * dayMs);
  await until('the end of it', 10_000, async () => {
    await clock.advance(100);
    return isEnded;
  });
  await ended;
  expect(await groupMembers(processId)).toEqual([]);
});
