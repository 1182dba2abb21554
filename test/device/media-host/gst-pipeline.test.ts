/** What the binding holds on to. In processes of their own: one that has no thread left reads no file any more. */
import { expect, test } from 'vitest';
import { runProgram } from '#device/detect/local-machine.ts';

/** Whether a file can still be read after `run`. */
async function readsAfter(run: string, threads = 4): Promise<string> {
  const script = `
    import { readFile } from 'node:fs/promises';
    import { GstPipeline } from '#device/media-host/gst-pipeline.ts';
    import { MicrophoneProbe } from '#device/media-host/microphone-probe.ts';
    import { manualClock } from './test/device/manual-clock.ts';
    const ignore = () => undefined;
    const microphone = 'audiotestsrc is-live=true samplesperbuffer=441 ! level interval=10000000 ! appsink name=sound sync=false';
    const pull = (pipeline) => new Promise((resolve) => pipeline.element('sound').pull(resolve));
    ${run}
    await readFile('package.json');
    process.stdout.write('read', () => process.kill(process.pid, 'SIGKILL'));
  `;
  const words = ['-c', `UV_THREADPOOL_SIZE=${threads} "$@" || true`, 'sh', process.execPath, '--input-type=module', '--eval', script];
  const outcome = await runProgram('sh', words, 25_000);
  return outcome.kind === 'finished' ? outcome.stdout : outcome.reason;
}

test('a pipeline that has started may be asked why it has not: its threads do not double with each message', async () => {
  const run = `
    const pipeline = new GstPipeline(microphone, { keepsBusThread: true, onError: ignore, onEnd: ignore });
    pipeline.play();
    for (let count = 0; count < 100; count++) {
      pipeline.askWhyNotStarted();
      if ((await pull(pipeline)) === null) throw new Error('expected sound, came none');
    }
    pipeline.stop();
  `;
  expect(await readsAfter(run, 16)).toBe('read');
});

test('a microphone that opens and gives no sound takes no thread after the other', async () => {
  const outcome = await readsAfter(`
    const clock = manualClock();
    const probe = new MicrophoneProbe(clock, ignore, ignore);
    probe.start(microphone.replace('appsink', 'valve drop=true ! appsink'), 1, () => null);
    for (let second = 0; second < 70; second++) await clock.advance(1000);
    probe.stop();
  `);
  expect(outcome).toBe('read');
});
