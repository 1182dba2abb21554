import { expect, test } from 'vitest';
import type { DetectedHardware } from '#device/detect/facts.ts';
import { localMachine } from '#device/detect/local-machine.ts';
import type { CommandOutcome, DetectionTools } from '#device/detect/tools.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { type EncoderMemory, encoderFingerprint, probeEncoders } from '#device/profile/probe-encoders.ts';
import { resolveProfile } from '#device/profile/resolve.ts';
import { toolsOf } from '../detect/made-up-machine.ts';
import { pi4, server } from '../plan/hardware.ts';

const profiles = await loadProfiles();
const works: CommandOutcome = { kind: 'finished', exitCode: 0, stdout: '' };
const broken: CommandOutcome = {
  kind: 'finished',
  exitCode: 1,
  stdout: '',
  stderr: 'ERROR: from element /GstPipeline:pipeline0/v4l2h264enc:encoder: Failed to allocate required memory.\nAdditional debug info:\n',
};

function memoryOf(...known: string[]): EncoderMemory & { readonly learnt: string[] } {
  const learnt: string[] = [];
  return { learnt, knows: (fingerprint) => known.includes(fingerprint), learn: (fingerprint) => void learnt.push(fingerprint) };
}

/** Answers by the first encoder that the command line names; notes what was tried. */
function toolsWith(answers: Record<string, CommandOutcome>): DetectionTools & { readonly tried: string[] } {
  const tried: string[] = [];
  const run: DetectionTools['run'] = async (command, words) => {
    expect(command).toBe('gst-launch-1.0');
    const encoder = words.find((word) => word.endsWith('enc')) ?? '';
    tried.push(encoder);
    return answers[encoder] ?? { kind: 'failed', reason: 'gst-launch-1.0 gave no answer within 10000 ms' };
  };
  return { ...toolsOf({}), run, tried };
}

async function probe(hardware: DetectedHardware, answers: Record<string, CommandOutcome>, memory = memoryOf()) {
  const tools = toolsWith(answers);
  const candidates = resolveProfile(hardware, profiles).encoders;
  const probed = await probeEncoders(hardware, candidates, tools, memory);
  return { tried: tools.tried, probed, chosen: resolveProfile(probed, profiles).encoders.map(({ id }) => id), learnt: memory.learnt };
}

test('the first that starts is enough: the ones behind it are not tried', async () => {
  const { tried, chosen, probed, learnt } = await probe(pi4, { v4l2h264enc: works });
  expect(tried).toEqual(['v4l2h264enc']);
  expect(chosen[0]).toBe('v4l2h264enc');
  expect(probed).toBe(pi4);
  expect(learnt).toHaveLength(1);
});

test('an element that is there and does not start is not used, and the reason is said', async () => {
  const { tried, chosen, probed } = await probe(pi4, { v4l2h264enc: broken, x264enc: works });
  expect(tried).toEqual(['v4l2h264enc', 'x264enc']);
  expect(chosen).toEqual(['x264enc', 'openh264enc']);
  expect(probed.encoders.find(({ element }) => element === 'v4l2h264enc')?.failure).toBe('Failed to allocate required memory.');
  expect(probed.problems).toEqual([{ subject: 'v4l2h264enc', problem: 'does not start: Failed to allocate required memory.' }]);
});

test('one that hangs is one that does not start', async () => {
  const { chosen, probed } = await probe(pi4, { x264enc: works });
  expect(chosen[0]).toBe('x264enc');
  expect(probed.problems[0]?.problem).toContain('gave no answer within');
});

test('none starts: the board’s order stays, and the media host will say why', async () => {
  const { chosen, tried } = await probe(pi4, {});
  expect(tried).toEqual(['v4l2h264enc', 'x264enc', 'openh264enc']);
  expect(chosen).toEqual(['v4l2h264enc', 'x264enc', 'openh264enc']);
});

test('what is known to start is not tried again; another GStreamer is another case; a failure is not remembered', async () => {
  const [first] = resolveProfile(pi4, profiles).encoders;
  if (first === undefined) throw new Error('expected an encoder');
  const memory = memoryOf(encoderFingerprint(first, pi4));
  expect((await probe(pi4, {}, memory)).tried).toEqual([]);
  expect((await probe({ ...pi4, gstreamerVersion: '1.26.0' }, { v4l2h264enc: works }, memory)).tried).toEqual(['v4l2h264enc']);
  expect((await probe(pi4, { v4l2h264enc: broken })).learnt).toEqual([]);
});

test('encoders that are not there are not tried', async () => {
  expect((await probe({ ...server, encoders: [] }, {})).tried).toEqual([]);
});

test('this machine: x264 really encodes; what cannot negotiate really fails, with its reason', async () => {
  const [x264] = resolveProfile(server, profiles).encoders;
  if (x264 === undefined) throw new Error('expected an encoder');
  const memory = memoryOf();
  expect((await probeEncoders(server, [x264], localMachine(), memory)).problems).toEqual([]);
  expect(memory.learnt).toHaveLength(1);
  const impossible = { ...x264, outputCaps: 'video/x-h264,profile=high,width=3' };
  const { problems } = await probeEncoders(server, [impossible], localMachine(), memory);
  expect(problems).toEqual([{ subject: 'x264enc', problem: expect.stringMatching(/^does not start: \S/) }]);
});
