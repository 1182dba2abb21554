/**
 * Finds out what this machine has. A tool that is missing or a device that misbehaves becomes a problem among the facts.
 * The first picture waits for it, so everything that can runs side by side.
 */
import { detectCameras } from '#device/detect/cameras.ts';
import type { BoardFact, DetectedHardware, DetectionProblem, EncoderFact } from '#device/detect/facts.ts';
import { isH264Encoder, parseElements, parseProperties, parseVersion } from '#device/detect/gstreamer.ts';
import { detectSound } from '#device/detect/microphones.ts';
import type { DetectionTools } from '#device/detect/tools.ts';
import { cameraModuleSubject } from '#device/detect/unusable-cameras.ts';

export type { CommandOutcome, DetectionTools } from '#device/detect/tools.ts';

/** Seconds on a small board that has just booted; the first call after a change of plugins also writes GStreamer's registry anew. */
const gstreamerTimeoutMs = 15_000;
const maximumEncoders = 8;

/**
 * `known`: of an earlier look. What no plugging can change, GStreamer's elements, is taken from it: asking for them takes longest.
 * `namedEncoders`: the elements that somebody has a use for; they are kept before others.
 */
export async function detectHardware(
  tools: DetectionTools,
  known: DetectedHardware | null = null,
  namedEncoders: ReadonlySet<string> = new Set(),
): Promise<DetectedHardware> {
  const problems: DetectionProblem[] = [];
  const report = (subject: string, problem: string) => problems.push({ subject, problem });
  const [board, gstreamer, videoNodes] = await Promise.all([
    detectBoard(tools),
    known !== null && known.encoders.length > 0 && known.gstreamerVersion !== null
      ? { elements: known.elements, encoders: known.encoders, gstreamerVersion: known.gstreamerVersion }
      : detectGstreamer(tools, namedEncoders, report),
    detectCameras(tools, report),
  ]);
  // libcamera's cameras can be used only through its own source element.
  const cameras = videoNodes.filter((camera) => camera.kind !== 'libcamera' || gstreamer.elements.has('libcamerasrc'));
  if (cameras.length < videoNodes.length)
    report(
      cameraModuleSubject,
      'a camera module is there, but GStreamer has no libcamerasrc: install gstreamer1.0-libcamera and libcamera-ipa',
    );
  const sound = await detectSound(tools, cameras);
  return { board, cameras, ...sound, ...gstreamer, problems };
}

async function detectBoard(tools: DetectionTools): Promise<BoardFact> {
  const model = (await tools.readFile('/proc/device-tree/model')) ?? (await tools.readFile('/sys/firmware/devicetree/base/model'));
  // The device tree ends its texts with a zero byte.
  const text = model?.replaceAll('\0', '').trim() ?? '';
  return { model: text === '' ? null : text, architecture: tools.architecture };
}

type Gstreamer = Pick<DetectedHardware, 'elements' | 'encoders' | 'gstreamerVersion'>;

async function detectGstreamer(
  tools: DetectionTools,
  namedEncoders: ReadonlySet<string>,
  report: (subject: string, problem: string) => void,
): Promise<Gstreamer> {
  const [list, version] = await Promise.all([
    tools.run('gst-inspect-1.0', [], gstreamerTimeoutMs),
    tools.run('gst-inspect-1.0', ['--version'], gstreamerTimeoutMs),
  ]);
  if (list.kind === 'failed') {
    report('gst-inspect-1.0', list.reason);
    return { elements: new Set(), encoders: [], gstreamerVersion: null };
  }
  const elements = parseElements(list.stdout);
  const found = [...elements].filter(isH264Encoder).sort();
  const names = [...found.filter((name) => namedEncoders.has(name)), ...found.filter((name) => !namedEncoders.has(name))];
  const encoders = await Promise.all(
    names.slice(0, maximumEncoders).map(async (element): Promise<EncoderFact> => {
      const outcome = await tools.run('gst-inspect-1.0', [element], gstreamerTimeoutMs);
      if (outcome.kind === 'failed') report(element, outcome.reason);
      return { element, properties: outcome.kind === 'finished' ? parseProperties(outcome.stdout) : [] };
    }),
  );
  if (encoders.length === 0) report('gst-inspect-1.0', 'no H.264 encoder among its elements');
  return { elements, encoders, gstreamerVersion: version.kind === 'finished' ? parseVersion(version.stdout) : null };
}
