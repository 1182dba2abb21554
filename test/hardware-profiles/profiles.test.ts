import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { profilesDirectory } from '#device/installation.ts';
import { checkProfiles, type ProfileFile } from '#device/profile/check.ts';
import { describeProfileProblem, loadProfiles, loadUsableProfiles } from '#device/profile/load.ts';
import { resolveProfile } from '#device/profile/resolve.ts';
import { bareHardware } from '../device/bare-machine.ts';

test('every profile of the program is right', async () => {
  const { boards, cameras, encoders } = await loadProfiles();
  expect(boards.map((board) => board.id)).toEqual([
    'generic-arm64',
    'generic-x86-64',
    'generic',
    'raspberry-pi-3',
    'raspberry-pi-4',
    'raspberry-pi-5',
    'raspberry-pi-zero-2-w',
    'raspberry-pi-zero-w',
  ]);
  expect(cameras.map((camera) => camera.id)).toEqual([
    'elgato-cam-link-4k-mk2',
    'elgato-cam-link-4k',
    'generic-uvc',
    'hdmi2usb',
    'logitech-brio',
    'logitech-c270',
    'logitech-c920',
    'logitech-c922',
    'logitech-quickcam-fusion',
    'ms2109-hdmi',
    'raspberry-pi-camera-1',
    'raspberry-pi-camera-2',
    'raspberry-pi-camera-3',
    'raspberry-pi-camera-global-shutter',
    'raspberry-pi-camera-hq',
    'raspberry-pi-camera-legacy',
    'raspberry-pi-camera',
  ]);
  expect(encoders.map((encoder) => encoder.id)).toEqual(['openh264enc', 'v4l2h264enc', 'x264enc']);
});

const board = {
  id: 'generic',
  title: 'Any',
  status: 'untested',
  notes: 'None.',
  source: 'Made up.',
  match: {},
  settings: {},
  encoders: [{ id: 'x264enc' }],
};
const camera = {
  id: 'cam',
  title: 'Cam',
  status: 'beta',
  notes: 'None.',
  source: 'Made up.',
  match: { driver: 'x' },
  settings: {},
  quirks: [],
};
const encoder = {
  id: 'x264enc',
  title: 'x264',
  status: 'beta',
  notes: 'None.',
  source: 'Made up.',
  match: { element: 'x264enc' },
  properties: [],
  bitrate: { target: 'property', name: 'bitrate', unit: 'kbit/s', live: true },
  keyframeInterval: { target: 'property', name: 'key-int-max' },
  controls: [],
  inputFormats: ['I420'],
  outputCaps: 'video/x-h264,profile=high',
  reserved: [],
};

function file(kind: ProfileFile['kind'], profile: object | string, name?: string): ProfileFile {
  const text = typeof profile === 'string' ? profile : JSON.stringify(profile);
  return { kind, name: name ?? `${typeof profile === 'string' ? 'broken' : (profile as { id: string }).id}.json`, text };
}
const right = [file('boards', board), file('encoders', encoder)];

test('a right set has no problem', () => {
  expect(checkProfiles([...right, file('cameras', camera)]).problems).toEqual([]);
});

const wrong = [
  { name: 'no JSON', add: file('cameras', '{"id":'), field: 'the file', reason: 'expected JSON' },
  { name: 'a wrong status', add: file('cameras', { ...camera, status: 'great' }), field: 'status', reason: '' },
  { name: 'a field that nobody knows', add: file('cameras', { ...camera, colour: 'red' }), field: 'the profile', reason: '' },
  { name: 'no notes', add: file('cameras', { ...camera, notes: undefined }), field: 'the profile', reason: 'notes' },
  { name: 'a quirk without code behind it', add: file('cameras', { ...camera, quirks: ['haunted'] }), field: 'quirks.0', reason: '' },
  { name: 'a wrong USB id', add: file('cameras', { ...camera, match: { usbIds: ['46d:825'] } }), field: 'match.usbIds.0', reason: '' },
  { name: 'a camera without a rule', add: file('cameras', { ...camera, match: {} }), field: 'match', reason: '' },
  {
    name: 'a broken pattern',
    add: file('cameras', { ...camera, match: { name: '(' } }),
    field: 'match.name',
    reason: 'regular expression',
  },
  { name: 'another file’s name', add: file('cameras', camera, 'other.json'), field: 'id', reason: 'came "cam"' },
  {
    name: 'an unknown setting',
    add: file('cameras', { ...camera, settings: { AV_NOTHING: 1 } }),
    field: 'settings.AV_NOTHING',
    reason: 'name of a setting',
  },
  {
    name: 'a setting out of range',
    add: file('cameras', { ...camera, settings: { AV_VIDEO_WIDTH: 5 } }),
    field: 'settings.AV_VIDEO_WIDTH',
    reason: 'from 160 to 3840',
  },
  {
    name: 'a number as text',
    add: file('cameras', { ...camera, settings: { AV_VIDEO_WIDTH: '640' } }),
    field: 'settings.AV_VIDEO_WIDTH',
    reason: 'integer',
  },
  {
    name: 'a secret',
    add: file('cameras', { ...camera, settings: { AV_STREAM_KEY: 'k' } }),
    field: 'settings.AV_STREAM_KEY',
    reason: 'no secret',
  },
  {
    name: 'an encoder that is not there',
    add: file('boards', { ...board, id: 'b', match: { model: 'x' }, encoders: [{ id: 'none' }] }),
    field: 'encoders',
    reason: '"none"',
  },
  {
    name: 'a live control without its number',
    add: file('encoders', { ...encoder, id: 'e', bitrate: { ...encoder.bitrate, target: 'control' } }),
    field: 'bitrate.controlId',
    reason: 'the number of the control',
  },
  {
    name: 'a control’s number for a property',
    add: file('encoders', { ...encoder, id: 'e', bitrate: { ...encoder.bitrate, controlId: 1 } }),
    field: 'bitrate.controlId',
    reason: 'none',
  },
  {
    name: 'a USB id of another profile',
    add: [
      file('cameras', { ...camera, match: { usbIds: ['046d:0825'] } }),
      file('cameras', { ...camera, id: 'twin', match: { usbIds: ['046d:0825'] } }),
    ],
    field: 'match.usbIds',
    reason: 'came 046d:0825, which is that of cam too',
  },
  {
    name: 'a limit that is none',
    add: file('boards', { ...board, id: 'b', match: { model: 'x' }, encoders: [{ id: 'x264enc', maximumPixelsPerSecond: 0 }] }),
    field: 'encoders.0.maximumPixelsPerSecond',
    reason: '',
  },
  { name: 'a second board for everything', add: file('boards', { ...board, id: 'b' }), field: 'match', reason: 'generic, b' },
  {
    name: 'caps that smuggle in an element',
    add: file('encoders', { ...encoder, id: 'e', outputCaps: 'video/x-h264 ! filesink' }),
    field: 'outputCaps',
    reason: '',
  },
  {
    name: 'a property that smuggles in an element',
    add: file('encoders', { ...encoder, id: 'e', properties: [{ name: 'tune', value: 'a ! filesink' }] }),
    field: 'properties.0.value',
    reason: '',
  },
];

test.each(wrong)('$name is named by file, field and reason', ({ add, field, reason }) => {
  const added = [add].flat();
  const { problems } = checkProfiles([...right, ...added]);
  expect(problems).toContainEqual({
    file: expect.stringMatching(`^${added[0]?.kind}/`),
    field,
    reason: expect.stringContaining(reason),
  });
});

test('loading a wrong set tells all of its problems at once', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'profiles-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  for (const kind of ['boards', 'cameras', 'encoders']) await mkdir(join(directory, kind));
  await writeFile(join(directory, 'boards', 'generic.json'), JSON.stringify({ ...board, status: 'great' }));
  await writeFile(join(directory, 'cameras', 'cam.json'), '');
  await expect(loadProfiles(directory)).rejects.toMatchObject({ code: 'wrong-hardware-profile' });
  await expect(loadProfiles(directory)).rejects.toThrow(
    /boards\/generic\.json: status: .*\n?[\s\S]*cameras\/cam\.json: the file: expected JSON/,
  );
});

test('what a card has damaged is done without, and said: the other profiles are as they were', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'profiles-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await cp(profilesDirectory, directory, { recursive: true });
  await writeFile(join(directory, 'cameras', 'logitech-c270.json'), '\0\0\0');
  await writeFile(join(directory, 'encoders', 'openh264enc.json'), '{"id":"openh264enc"');
  await writeFile(
    join(directory, 'boards', 'raspberry-pi-4.json'),
    JSON.stringify({ ...board, id: 'raspberry-pi-4', match: { model: '(' } }),
  );
  await rm(join(directory, 'boards', 'generic.json'));
  await mkdir(join(directory, 'boards', 'generic.json'));
  const { profiles, problems } = await loadUsableProfiles(directory);
  expect(problems).toHaveLength(4);
  const named = problems.map(describeProfileProblem).join('\n');
  expect(named).not.toContain('\0');
  expect(named).toMatch(/^boards\/generic\.json: the file: cannot be read \(EISDIR\)$/m);
  expect(named).toMatch(/^boards\/raspberry-pi-4\.json: match\.model: expected a regular expression/m);
  expect(named).toMatch(/^cameras\/logitech-c270\.json: the file: expected JSON/m);
  expect(named).toMatch(/^encoders\/openh264enc\.json: the file: expected JSON/m);
  const right = await loadProfiles();
  const ids = ({ cameras, encoders }: typeof right) => [...cameras, ...encoders].map(({ id }) => id);
  expect(ids(profiles)).toEqual(ids(right).filter((id) => id !== 'logitech-c270' && id !== 'openh264enc'));
  // Its own profile is gone, and the one that fits any board, too.
  const pi = { ...bareHardware, board: { ...bareHardware.board, model: 'Raspberry Pi 4 Model B Rev 1.4', architecture: 'unheard-of' } };
  const { board: found, encoders } = resolveProfile(pi, profiles);
  expect([found.id, encoders.map(({ id }) => id)]).toEqual(['generic', ['x264enc']]);
});

test('without any profile there is still a board, and no encoder to name', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'profiles-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const { profiles, problems } = await loadUsableProfiles(directory);
  expect(problems.map(({ file, reason }) => [file, reason])).toEqual(
    ['boards/', 'cameras/', 'encoders/'].map((file) => [file, 'cannot be read (ENOENT)']),
  );
  expect(resolveProfile(bareHardware, profiles)).toMatchObject({ board: { id: 'generic' }, encoders: [] });
});
