import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { setControl } from '#device/media-host/encoder-control.ts';
import { GstPipeline } from '#device/media-host/gst-pipeline.ts';
import { until } from '../../until.ts';
import { buildInCameras, cameraNodes } from '../inside/modules.ts';
import type { Scenario } from '../scenario.ts';

const run = promisify(execFile);

/** V4L2_CID_BRIGHTNESS: what a camera of the laboratory has, in the place of an encoder's bitrate. */
const brightness = 0x98_0900;
const wanted = 77;
const boundMs = 20_000;

export const encoderControl: Scenario = {
  name: 'encoder-control',
  title: 'a control is set through the descriptor of a GStreamer element that plays, and what a driver refuses is said in words',
  boundMs: 90_000,
  // GStreamer's v4l2src keeps a descriptor for as long as its process lives, so that the driver cannot be taken out afterwards.
  async run({ check, figure, undoLater }) {
    await buildInCameras(1);
    const node = cameraNodes()[0] ?? '';
    let pictures = 0;
    let isOver = false;
    const failures: string[] = [];
    const pipeline = new GstPipeline(
      `v4l2src name=encoder device=${node} ! video/x-raw,width=320,height=180 ! appsink name=tags sync=false`,
      {
        keepsBusThread: false,
        onError: ({ message }) => failures.push(message),
        onEnd: () => failures.push('the end'),
      },
    );
    undoLater(() => {
      isOver = true;
      pipeline.stop();
    });
    const encoder = pipeline.element('encoder');
    const sink = pipeline.element('tags');
    check('closed before it plays', encoder?.['device-fd'] === -1, encoder?.['device-fd']);
    pipeline.play();
    const pull = (): void =>
      sink?.pull?.((buffer) => {
        pictures += buffer === null ? 0 : 1;
        if (!isOver) pull();
      });
    pull();
    await until('pictures', boundMs, () => pictures > 3);

    const begin = performance.now();
    const outcome = await setControl(Number(encoder?.['device-fd']), brightness, wanted);
    figure('a control is set after', Math.round(performance.now() - begin), 'ms');
    check('the driver took it', outcome.kind === 'set', outcome);
    const { stdout } = await run('v4l2-ctl', ['--device', node, '--get-ctrl=brightness']);
    check('the camera has it', stdout.trim() === `brightness: ${wanted}`, stdout);
    const refused = await setControl(Number(encoder?.['device-fd']), 0x99_09cf, 1_000_000);
    check('what it does not have is refused', refused.kind === 'failed' && refused.reason === 'Invalid argument', refused);
    const seen = pictures;
    await until('more pictures', boundMs, () => pictures > seen + 3);
    check('it played on', failures.length === 0, failures);
  },
};
