import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { type Credentials, enrol, enrolmentPolicies, readCredentials, whyCredentialsAreLost } from '#device/uplink/credentials.ts';
import { type EnrolmentOutcome, requestEnrolment } from '#device/uplink/enrolment-request.ts';
import { manualClock } from '../manual-clock.ts';
import { quietLog } from '../quiet-log.ts';
import { MemoryState } from './memory-state.ts';

const joinToken = 'the-join-token-1234';
const credential = 'c'.repeat(43);
const joined: EnrolmentOutcome = { kind: 'joined', answer: { deviceId: 'pi-1', credential } };

function enrolling(outcomes: EnrolmentOutcome[]) {
  const clock = manualClock();
  const log = quietLog();
  const state = new MemoryState();
  const askedAtMs: number[] = [];
  const stopping = new AbortController();
  const join = async (): Promise<EnrolmentOutcome> => {
    askedAtMs.push(clock.monotonicMs());
    return outcomes.shift() ?? joined;
  };
  const options = {
    fleetUrl: 'http://fleet',
    joinToken,
    boardId: null,
    state,
    join,
    policies: enrolmentPolicies,
    clock,
    random: () => 0,
    log,
  };
  let credentials: Credentials | null | undefined;
  const done = enrol({ ...options, signal: stopping.signal }).then((value) => {
    credentials = value;
  });
  return { clock, log, state, askedAtMs, stopping, done, credentials: () => credentials };
}

test('joins when the server is there, and knows it after a restart', async () => {
  const run = enrolling([]);
  await run.done;
  expect(run.credentials()).toEqual({ fleetUrl: 'http://fleet', deviceId: 'pi-1', credential });
  expect(await readCredentials(run.state, { url: 'http://fleet', joinToken: null })).toEqual(run.credentials());
  expect(await readCredentials(run.state, { url: 'http://fleet', joinToken })).toEqual(run.credentials());
});

test('another address with a join token is another fleet; without one it is the same fleet, moved', async () => {
  const run = enrolling([]);
  await run.done;
  expect(await readCredentials(run.state, { url: 'http://other', joinToken })).toBeNull();
  expect(await readCredentials(run.state, { url: 'http://other', joinToken: null })).toEqual({
    fleetUrl: 'http://other',
    deviceId: 'pi-1',
    credential,
  });
});

test('those of another fleet are not lost', async () => {
  const run = enrolling([]);
  await run.done;
  const state = { read: run.state.read.bind(run.state), whyLost: async () => 'it is there, and cannot be read' };
  expect(await whyCredentialsAreLost(state)).toBeNull();
  run.state.files.clear();
  expect(await whyCredentialsAreLost(state)).toBe('it is there, and cannot be read');
});

test('while the server is away it is asked with back-off, and the log is not filled', async () => {
  const away: EnrolmentOutcome = { kind: 'unreachable', reason: 'no answer (ECONNREFUSED)' };
  const run = enrolling(Array.from({ length: 40 }, () => away));
  await run.clock.advance(2 * 3_600_000);
  await run.done;
  const waits = run.askedAtMs.slice(1).map((atMs, index) => atMs - (run.askedAtMs[index] ?? 0));
  expect(waits.slice(0, 8)).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  expect(run.log.lines.length).toBeLessThan(10);
});

test('a refused token is one clear line and seldom asked again', async () => {
  const refused: EnrolmentOutcome = { kind: 'refused', reason: 'the fleet server does not take the join token (status 403)' };
  const run = enrolling([refused, refused]);
  await run.clock.advance(59_000);
  expect(run.askedAtMs).toHaveLength(1);
  expect(run.log.lines).toEqual([
    'cannot join the fleet at http://fleet: the fleet server does not take the join token (status 403); trying again',
  ]);
  await run.clock.advance(200_000);
  await run.done;
  expect(run.credentials()?.deviceId).toBe('pi-1');
});

test('a stop ends it at once', async () => {
  const run = enrolling([{ kind: 'unreachable', reason: 'gone' }]);
  await run.clock.advance(100);
  run.stopping.abort();
  await run.done;
  expect(run.credentials()).toBeNull();
  expect(run.clock.waitingTimers()).toBe(0);
});

test.each([
  [201, JSON.stringify({ deviceId: 'pi-1', credential }), 'joined'],
  [201, '{"deviceId":"pi-1"}', 'unreachable'],
  [201, 'hello', 'unreachable'],
  [403, '{}', 'refused'],
  [401, '{}', 'refused'],
  [429, '{}', 'unreachable'],
  [502, 'bad gateway', 'unreachable'],
])('a server that answers %i %s', async (status, body, kind) => {
  let asked = '';
  const server = createServer((request, response) => {
    request.on('data', (chunk) => {
      asked += chunk;
    });
    request.on('end', () => response.writeHead(status).end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const signal = new AbortController().signal;
  const outcome = await requestEnrolment(`http://127.0.0.1:${port}`, { joinToken, name: 'pi' }, signal);
  expect(outcome.kind).toBe(kind);
  expect(JSON.parse(asked)).toEqual({ joinToken, name: 'pi' });
  if (outcome.kind !== 'joined') expect(outcome.reason).not.toContain(joinToken);
});

test('nobody there is a value, not an exception', async () => {
  const outcome = await requestEnrolment('http://127.0.0.1:9', { joinToken, name: 'pi' }, new AbortController().signal);
  expect(outcome).toEqual({ kind: 'unreachable', reason: 'no answer (ECONNREFUSED)' });
});
