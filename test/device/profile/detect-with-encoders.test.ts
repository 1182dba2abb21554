import { expect, test } from 'vitest';
import type { CommandOutcome } from '#device/detect/tools.ts';
import { detectWithEncoders } from '#device/profile/detect-with-encoders.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { forgetfulEncoderMemory } from '#device/state/encoder-memory.ts';
import { toolsOf } from '../detect/made-up-machine.ts';

const profiles = await loadProfiles();

test('an encoder that did not start is tried again at the next look', async () => {
  let outcome: CommandOutcome = { kind: 'finished', exitCode: 1, stdout: '', stderr: 'ERROR: no memory\n' };
  let tries = 0;
  const base = toolsOf({
    programs: {
      'gst-inspect-1.0': 'x264:  x264enc: x264 H.264 Encoder\n',
      'gst-inspect-1.0 --version': 'gst-inspect-1.0 version 1.22.0\n',
      'gst-inspect-1.0 x264enc': '',
    },
  });
  const tools = {
    ...base,
    run: async (command: string, words: readonly string[], timeoutMs: number) => {
      if (command !== 'gst-launch-1.0') return await base.run(command, words, timeoutMs);
      tries += 1;
      return outcome;
    },
  };
  const first = await detectWithEncoders(tools, profiles, forgetfulEncoderMemory(), '/state');
  expect(first.encoders).toEqual([{ element: 'x264enc', properties: [], failure: 'no memory' }]);
  expect(first.problems).toEqual([{ subject: 'x264enc', problem: 'does not start: no memory' }]);
  outcome = { kind: 'finished', exitCode: 0, stdout: '' };
  const second = await detectWithEncoders(tools, profiles, forgetfulEncoderMemory(), '/state', first);
  expect(second.encoders).toEqual([{ element: 'x264enc', properties: [] }]);
  expect(second.problems).toEqual([]);
  expect(tries).toBe(2);
});

test('on a machine with more encoders than are kept, those that a profile names are kept', async () => {
  const vendors = ['amf', 'msdk', 'mpp', 'nv', 'nvautogpu', 'nvcuda', 'omx', 'qsv', 'va', 'vaapi', 'vulkan'].map(
    (name) => `${name}h264enc`,
  );
  const named = ['openh264enc', 'v4l2h264enc', 'x264enc'];
  const elements = [...vendors, ...named];
  const hardware = await detectWithEncoders(
    toolsOf({
      programs: {
        'gst-inspect-1.0': elements.map((element) => `plugin:  ${element}: H.264 Encoder\n`).join(''),
        'gst-inspect-1.0 --version': 'gst-inspect-1.0 version 1.22.0\n',
        ...Object.fromEntries(elements.map((element) => [`gst-inspect-1.0 ${element}`, ''])),
      },
    }),
    profiles,
    forgetfulEncoderMemory(),
    '/state',
  );
  expect(hardware.encoders.map(({ element }) => element)).toEqual([...named, ...vendors.toSorted().slice(0, 5)]);
});
