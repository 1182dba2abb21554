import { expect, test } from 'vitest';
import { describeProblems, type Environment, environmentOf, readConfiguration } from '#device/configuration.ts';

const machine = { homeDirectory: '/home/pi', isBalenaDataWritable: false };
const token = 'a-join-token-of-some-length';

function configurationOf(environment: Environment, onBalena = false) {
  const read = readConfiguration(environment, { ...machine, isBalenaDataWritable: onBalena });
  if (read.kind === 'problems') throw new Error(describeProblems(read.problems));
  return read.configuration;
}

function problemsOf(environment: Environment): string {
  const read = readConfiguration(environment, machine);
  return read.kind === 'problems' ? describeProblems(read.problems) : '';
}

test('nothing set: it streams on its own, with the state in the home directory', () => {
  expect(configurationOf({})).toEqual({
    stateDirectory: '/home/pi/.local/state/makespacelive',
    fleet: null,
    settings: {},
    refused: [],
    logLevel: 'info',
    boardId: null,
    unknownNames: [],
  });
});

test.each([
  ['given', { AGENT_STATE_DIR: '/srv/agent', XDG_STATE_HOME: '/x' }, true, '/srv/agent'],
  ['XDG', { XDG_STATE_HOME: '/x' }, false, '/x/makespacelive'],
  ['balena', { BALENA: '1', XDG_STATE_HOME: '/x' }, true, '/data/makespacelive'],
  ['balena without a volume', { BALENA: '1' }, false, '/home/pi/.local/state/makespacelive'],
])('the state directory: %s', (_name, environment, onBalena, expected) => {
  expect(configurationOf(environment, onBalena).stateDirectory).toBe(expected);
});

test('without a home the state directory has to be named', () => {
  const homeless = { ...machine, homeDirectory: null };
  const problems = [{ key: 'AGENT_STATE_DIR', expected: 'an absolute path, because this user has no home directory', came: 'nothing' }];
  expect(readConfiguration({}, homeless)).toEqual({ kind: 'problems', problems });
  expect(readConfiguration({ AGENT_STATE_DIR: '/srv/agent' }, homeless)).toMatchObject({ kind: 'configuration' });
});

test('settings come in their canonical types, empty ones count as unset, unknown ones are named', () => {
  const environment = { AV_VIDEO_WIDTH: '640', AV_DISABLE_AUDIO: 'yes', AV_STREAM_KEY: '', AV_VIDEO_WITH: '3', PATH: '/bin' };
  const { settings, unknownNames } = configurationOf(environment);
  expect(settings).toEqual({ AV_VIDEO_WIDTH: 640, AV_DISABLE_AUDIO: true });
  expect(unknownNames).toEqual(['AV_VIDEO_WITH']);
});

test('a wrong setting is left out and named, and is no reason not to start', () => {
  const configuration = configurationOf({ AV_VIDEO_WIDTH: 'wide', AV_VIDEO_FRAMERATE: '1000', AV_VIDEO_HEIGHT: '480' });
  expect(configuration.settings).toEqual({ AV_VIDEO_HEIGHT: 480 });
  expect(environmentOf(configuration).refusedInEnvironment).toEqual([
    { key: 'AV_VIDEO_WIDTH', reason: 'AV_VIDEO_WIDTH: expected a whole number from 160 to 3840 (px), got "wide"' },
    { key: 'AV_VIDEO_FRAMERATE', reason: 'AV_VIDEO_FRAMERATE: expected a whole number from 1 to 60 (1/s), got "1000"' },
  ]);
});

test('the fleet’s address loses the slash at its end and keeps its path', () => {
  expect(configurationOf({ FLEET_URL: 'https://h.example/fleet/', FLEET_JOIN_TOKEN: token }).fleet).toEqual({
    url: 'https://h.example/fleet',
    joinToken: token,
    caFile: null,
  });
});

test('every problem is listed at once, with what was expected and what came', () => {
  const text = problemsOf({
    AV_VIDEO_WIDTH: 'wide',
    AV_STREAM_URL: 'http://example.org',
    FLEET_URL: 'mqtt://h',
    AGENT_LOG_LEVEL: 'loud',
    AGENT_STATE_DIR: 'here',
  });
  expect(text.split('\n')).toEqual([
    'Wrong configuration:',
    '  AV_VIDEO_WIDTH: expected a whole number from 160 to 3840 (px), got "wide"',
    '  AV_STREAM_URL: expected an address such as rtmp://host/application, got "http://example.org"',
    '  AGENT_STATE_DIR: expected an absolute path, got "here"',
    '  AGENT_LOG_LEVEL: expected debug, info, warn, error, got "loud"',
    '  FLEET_URL: expected an address such as https://fleet.example.org, got the scheme mqtt:',
  ]);
});

test('no secret is shown in a problem', () => {
  const text = problemsOf({ AV_STREAM_KEY: 'se cret!', FLEET_JOIN_TOKEN: 'short-secret', FLEET_URL: 'https://user:password@h' });
  expect(text).not.toMatch(/se cret|short-secret|password@/);
  expect(text.split('\n')).toHaveLength(4);
});

test('a join token without an address is a problem', () => {
  expect(problemsOf({ FLEET_JOIN_TOKEN: token })).toContain('FLEET_URL: expected the fleet server’s address');
});
