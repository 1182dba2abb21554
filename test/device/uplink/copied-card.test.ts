import { expect, test } from 'vitest';
import { readBoardIdentity } from '#device/uplink/board-identity.ts';
import { type CopyOptions, copyPolicy, identityOfCopy, isFromAnotherBoard } from '#device/uplink/copied-card.ts';
import { type Credentials, readCredentials } from '#device/uplink/credentials.ts';
import { type CopyOutcome, type EnrolmentOutcome, judgeCopyAnswer } from '#device/uplink/enrolment-request.ts';
import { manualClock } from '../manual-clock.ts';
import { quietLog } from '../quiet-log.ts';
import { MemoryState } from './memory-state.ts';

const credential = 'c'.repeat(43);
const copyOf: Credentials = { fleetUrl: 'http://fleet', deviceId: 'pi-1', credential, boardId: 'a'.repeat(16) };
const board = { id: 'b'.repeat(16), hostName: 'pi-copy' };
const refused: EnrolmentOutcome = { kind: 'refused', reason: 'the token is used up' };
const joined: EnrolmentOutcome = { kind: 'joined', answer: { deviceId: 'pi-2', credential: 'd'.repeat(43) } };
const waits: CopyOutcome = { kind: 'wait', reason: 'the fleet knows the device on another board' };

function copying(options: { joinToken: string | null; joins?: EnrolmentOutcome[]; answers?: CopyOutcome[] }) {
  const clock = manualClock();
  const log = quietLog();
  const state = new MemoryState();
  const asked: unknown[] = [];
  const { joins = [], answers = [] } = options;
  const stopping = new AbortController();
  const all: CopyOptions = {
    ...{ fleetUrl: 'http://fleet', joinToken: options.joinToken, copyOf, board, state, policy: copyPolicy, clock, random: () => 0, log },
    join: async () => joins.shift() ?? refused,
    ask: async (_url, body) => {
      asked.push(body);
      return answers.shift() ?? waits;
    },
    signal: stopping.signal,
  };
  let result: Credentials | null | undefined;
  const done = identityOfCopy(all).then((value) => {
    result = value;
  });
  return { clock, log, state, asked, stopping, done, result: () => result };
}

test('with a token that is taken the copy becomes a device of its own, and asks nobody', async () => {
  const run = copying({ joinToken: 'the-join-token-1234', joins: [joined] });
  await run.done;
  expect(run.result()).toMatchObject({ deviceId: 'pi-2', boardId: board.id });
  expect(run.asked).toEqual([]);
  expect(await readCredentials(run.state, { url: 'http://fleet', joinToken: null })).toMatchObject({ deviceId: 'pi-2' });
});

test('without one it waits, says so, and takes over when the fleet says that the card was moved', async () => {
  const run = copying({ joinToken: null, answers: [waits, waits, waits, { kind: 'take-over' }] });
  await run.clock.advance(10_000);
  expect(run.result()).toBeUndefined();
  expect(run.log.lines.join(' ')).toContain('FLEET_JOIN_TOKEN');
  await run.clock.advance(60_000);
  await run.done;
  expect(run.result()).toMatchObject({ deviceId: 'pi-1', credential, boardId: board.id });
  expect(await readCredentials(run.state, { url: 'http://fleet', joinToken: null })).toMatchObject({ boardId: board.id });
  expect(run.log.lines.join(' ')).not.toContain(credential);
});

test('asks at most twice a minute, for as long as it takes', async () => {
  const run = copying({ joinToken: 'the-join-token-1234' });
  await run.clock.advance(600_000);
  expect(run.asked.length).toBeLessThan(26);
  expect(run.log.lines.filter((line) => line.includes('this board waits')).length).toBeLessThan(8);
  run.stopping.abort();
  await run.done;
  expect(run.result()).toBeNull();
  expect(run.state.writes).toBe(0);
});

test.each([
  [200, '{"verdict":"take-over"}', 'take-over'],
  [200, '{"verdict":"wait"}', 'wait'],
  [200, 'a page of another server', 'wait'],
  [403, '{}', 'wait'],
  [500, '{}', 'wait'],
])('an answer %i %s means %s', (status, text, kind) => {
  expect(judgeCopyAnswer(status, text).kind).toBe(kind);
});

test('a card is a copy only where both boards can be told', () => {
  expect(isFromAnotherBoard(copyOf, board)).toBe(true);
  expect(isFromAnotherBoard({ ...copyOf, boardId: board.id }, board)).toBe(false);
  const { boardId: _none, ...older } = copyOf;
  expect(isFromAnotherBoard(older, board)).toBe(false);
  expect(isFromAnotherBoard(copyOf, null)).toBe(false);
  expect(isFromAnotherBoard(null, board)).toBe(false);
});

test.each([
  ['the serial number of a Raspberry Pi', { '/proc/device-tree/serial-number': '10000000a1b2c3d4\0' }, true],
  ['the number of a computer', { '/sys/class/dmi/id/product_uuid': '4C4C4544-0031-3010-8051-B4C04F4C3132\n' }, true],
  ['what a maker writes who gives none', { '/sys/class/dmi/id/product_uuid': 'To be filled by O.E.M.' }, false],
  ['noughts', { '/proc/device-tree/serial-number': '0000000000000000\0' }, false],
  ['nothing that can be read', {}, false],
])('%s', async (_name, files: Record<string, string>, isKnown) => {
  const identity = await readBoardIdentity({ readFile: async (path) => files[path] ?? null, given: null });
  expect(identity !== null).toBe(isKnown);
  const text = JSON.stringify(identity);
  for (const serial of Object.values(files)) expect(text).not.toContain(serial.replaceAll('\0', '').trim());
  if (identity !== null) expect(identity.id).toMatch(/^[0-9a-f]{16}$/);
});

test('what the environment says counts more', async () => {
  const readFile = async () => '10000000a1b2c3d4';
  const [one, other] = await Promise.all(['board-one', 'board-two'].map((given) => readBoardIdentity({ readFile, given })));
  expect(one?.id).not.toBe(other?.id);
});
