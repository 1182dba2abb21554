/**
 * Whether the board's encoders start: each candidate gets a few test pictures, best first, until one encodes them. That an
 * element exists says little: `v4l2h264enc` is there where its device is, and still fails in a container without the device,
 * or with too little memory for the GPU.
 */
import type { DetectedHardware, EncoderFact } from '#device/detect/facts.ts';
import type { CommandOutcome, DetectionTools } from '#device/detect/tools.ts';
import { describeEncoder } from '#device/plan/encoder.ts';
import type { EncoderProfile } from '#hardware-profiles/schema.ts';

/** 0.05 s on a PC; a board with one slow core that has just booted may take seconds. The first picture waits for it. */
const probeTimeoutMs = 10_000;
const probePictures = 3;
const reasonLength = 300;

/** What has been seen to start, so that it is not tried again: only successes, because a failure may be mended meanwhile. */
export type EncoderMemory = {
  readonly knows: (fingerprint: string) => boolean;
  readonly learn: (fingerprint: string) => void;
};

/** Fills in what does not start. Candidates behind the first one that starts are not tried. */
export async function probeEncoders(
  hardware: DetectedHardware,
  candidates: readonly EncoderProfile[],
  tools: DetectionTools,
  memory: EncoderMemory,
): Promise<DetectedHardware> {
  const failures = new Map<string, string>();
  for (const candidate of candidates) {
    if (!hardware.encoders.some(({ element }) => element === candidate.match.element)) continue;
    const fingerprint = encoderFingerprint(candidate, hardware);
    if (memory.knows(fingerprint)) break;
    const failure = await tryEncoder(candidate, tools);
    if (failure === null) {
      memory.learn(fingerprint);
      break;
    }
    failures.set(candidate.match.element, failure);
  }
  if (failures.size === 0) return hardware;
  const encoders = hardware.encoders.map((fact): EncoderFact => {
    const failure = failures.get(fact.element);
    return failure === undefined ? fact : { ...fact, failure };
  });
  const problems = [...failures].map(([subject, problem]) => ({ subject, problem: `does not start: ${problem}` }));
  return { ...hardware, encoders, problems: [...hardware.problems, ...problems] };
}

/** Another board, GStreamer or profile is another case. */
export function encoderFingerprint(candidate: EncoderProfile, { board, gstreamerVersion }: DetectedHardware): string {
  return [candidate.match.element, gstreamerVersion, board.model, board.architecture, description(candidate)].join(' | ');
}

async function tryEncoder(candidate: EncoderProfile, tools: DetectionTools): Promise<string | null> {
  return whyFailed(await tools.run('gst-launch-1.0', words(description(candidate)), probeTimeoutMs));
}

function description(candidate: EncoderProfile): string {
  const encoder = describeEncoder(candidate, { bitrateKbps: 1000, keyframeIntervalFrames: 30, parameters: [] });
  const format = candidate.inputFormats[0] ?? 'I420';
  const pictures = `videotestsrc num-buffers=${probePictures} ! video/x-raw,format=${format},width=640,height=480,framerate=30/1`;
  return `-q ${pictures} ! ${encoder} ! fakesink`;
}

/** gst-launch joins its arguments with spaces: a quoted value stays whole as one argument without its quotes. */
function words(text: string): readonly string[] {
  return (text.match(/(?:[^\s"]|"[^"]*")+/g) ?? []).map((word) => word.replaceAll('"', ''));
}

function whyFailed(outcome: CommandOutcome): string | null {
  if (outcome.kind === 'failed') return outcome.reason;
  if (outcome.exitCode === 0) return null;
  const told = /^ERROR: (?:from element \S+ )?(.*)$/m.exec(outcome.stderr ?? '')?.[1] ?? `it ended with ${outcome.exitCode}`;
  return told.slice(0, reasonLength);
}
