import { expect, onTestFinished, test, vi } from 'vitest';
import { localMachine, runProgram } from '#device/detect/local-machine.ts';

test('a program’s output and exit code', async () => {
  const outcome = await runProgram(process.execPath, ['-e', 'console.log("out"); console.error("err"); process.exitCode = 3'], 20_000);
  expect(outcome).toEqual({ kind: 'finished', exitCode: 3, stdout: 'out\n', stderr: 'err\n' });
});

test('a program that is not there', async () => {
  expect(await runProgram('no-such-program-here', [], 20_000)).toEqual({ kind: 'failed', reason: 'no-such-program-here is not installed' });
});

test('a program that the system does not start at all', async () => {
  const tooMuch = 'x'.repeat(200_000);
  expect(await runProgram(process.execPath, [tooMuch], 20_000)).toEqual({ kind: 'failed', reason: expect.stringContaining('E2BIG') });
});

test('a program when no file can be opened any more', async () => {
  const script = `
    import { openSync } from 'node:fs';
    import { runProgram } from '#device/detect/local-machine.ts';
    try {
      for (;;) openSync('/dev/null');
    } catch (cause) {
      if (cause.code !== 'EMFILE') throw cause;
    }
    const outcome = await runProgram('true', [], 20_000);
    process.stdout.write(JSON.stringify(outcome));
  `;
  const node = [process.execPath, '--input-type=module', '--eval', script];
  const outcome = await runProgram('sh', ['-c', 'ulimit -n 64; exec "$@"', 'sh', ...node], 20_000);
  expect(outcome).toMatchObject({ kind: 'finished', exitCode: 0, stdout: expect.stringContaining('EMFILE') });
});

test('a program that hangs is given up in time', async () => {
  const outcome = await runProgram(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], 100);
  expect(outcome).toEqual({ kind: 'failed', reason: expect.stringContaining('gave no answer within 100 ms') });
});

test('a program that prints without end is given up', async () => {
  const outcome = await runProgram(
    process.execPath,
    ['-e', 'const line = "x".repeat(65536); const go = () => process.stdout.write(line, go); go()'],
    20_000,
  );
  expect(outcome).toEqual({ kind: 'failed', reason: expect.stringContaining('printed more than') });
});

test('arguments are never words of a shell', async () => {
  const outcome = await runProgram(process.execPath, ['-p', 'process.argv[1]', '; echo $HOME `id`'], 20_000);
  expect(outcome).toMatchObject({ stdout: '; echo $HOME `id`\n' });
});

test('what cannot be read is null or empty', async () => {
  const machine = localMachine();
  expect(await machine.readFile('/nowhere/at/all')).toBeNull();
  expect(await machine.readDirectory('/nowhere/at/all')).toEqual([]);
  expect(await machine.realPath('/nowhere/at/all')).toBeNull();
});

test('no program hears of our own secrets', async () => {
  vi.stubEnv('AV_STREAM_KEY', 'a-secret');
  vi.stubEnv('FLEET_JOIN_TOKEN', 'another-secret');
  onTestFinished(() => void vi.unstubAllEnvs());
  const outcome = await runProgram(process.execPath, ['-p', 'JSON.stringify(process.env)'], 20_000);
  expect(outcome).toMatchObject({ stdout: expect.stringContaining('"PATH"') });
  expect(JSON.stringify(outcome)).not.toContain('secret');
});
