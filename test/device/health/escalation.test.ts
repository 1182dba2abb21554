import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { EscalationMemory, type EscalationStep, escalate, type Observation, startEscalation } from '#device/health/escalation.ts';
import type { MediaState } from '#protocol/media.ts';

const since = '2026-11-21T12:00:00Z';
const bootMs = Date.parse(since);
const tickS = 2;

type Sight = Pick<Observation, 'media' | 'isSourceThere' | 'captureLosses'> & { readonly framesPerSecond: number };
const sight = (media: MediaState | null, more: Partial<Sight> = {}): Sight => ({
  media,
  isSourceThere: true,
  captureLosses: 0,
  framesPerSecond: 0,
  ...more,
});
const well = sight({ kind: 'running', since }, { framesPerSecond: 30 });
const frameless = sight({ kind: 'running', since });
const failed = sight({ kind: 'failed', since, reason: 'no element "x"' });
const starting = sight({ kind: 'starting', since });
const stopped = sight({ kind: 'stopped', since });
const hanging = sight({ kind: 'no-signal', since, reason: 'the source gives no picture' });
const unplugged = sight({ kind: 'no-signal', since, reason: 'gone' }, { isSourceThere: false });
const worn = { ...unplugged, captureLosses: 20 };

type World = {
  readonly seconds: number;
  readonly at: (second: number) => Sight;
  readonly mayReboot?: boolean;
  /** How far the wall clock is behind. */
  readonly behindMs?: (second: number, uptimeS: number) => number;
  /** For how long a new agent does not yet look, in seconds. */
  readonly agentAwayS?: number;
};

/** What is done and when, in seconds; `agent` and `reboot` begin with what is on disk. */
function live({ seconds, at, mayReboot = false, behindMs = () => 0, agentAwayS = 0 }: World): string {
  const done: string[] = [];
  let state = startEscalation(null, 0);
  let bootedS = 0;
  let awayUntilS = 0;
  let framesTotal = 0;
  for (let second = 0; second <= seconds; second += tickS) {
    const { framesPerSecond, ...seen } = at(second);
    framesTotal += framesPerSecond * tickS;
    if (second < awayUntilS) continue;
    const monotonicMs = (second - bootedS) * 1000;
    const wallMs = bootMs + second * 1000 - behindMs(second, second - bootedS);
    const now = { bootId: `boot at ${bootedS}`, monotonicMs, wallMs };
    const { state: next, action } = escalate(state, { ...seen, framesTotal, mayReboot, ...now });
    state = next;
    expect(Value.Check(EscalationMemory, state.memory)).toBe(true);
    if (action === null) continue;
    done.push(`${action.step} ${second}`);
    if (action.step === 'media-host') continue;
    if (action.step === 'reboot') bootedS = second;
    else awayUntilS = second + agentAwayS;
    state = startEscalation(JSON.parse(JSON.stringify(state.memory)) as EscalationMemory, (second - bootedS) * 1000);
  }
  return done.join(', ');
}

const always = (what: Sight) => () => what;
const dayMs = 86_400_000;
const timesOf = (text: string, step: EscalationStep): number[] =>
  text
    .split(', ')
    .filter((entry) => entry.startsWith(step))
    .map((entry) => Number(entry.split(' ')[1]));
const worstHour = (text: string, step: EscalationStep): number => {
  const times = timesOf(text, step);
  return Math.max(0, ...times.map((from) => times.filter((atS) => atS >= from && atS < from + 3600).length));
};
const bounds: readonly (readonly [EscalationStep, number])[] = [
  ['media-host', 4],
  ['agent', 2],
  ['reboot', 1],
];
const ladderOnce = 'media-host 20, media-host 40, agent 100, agent 162';

describe('the ladder', () => {
  it.each<[string, World, string]>([
    ['a stream that is well is left alone', { seconds: 4000, at: always(well) }, ''],
    ['a pipeline that is stopped on purpose is left alone', { seconds: 4000, at: always(stopped) }, ''],
    ['a camera that is not plugged in is no illness', { seconds: 4000, at: always(unplugged) }, ''],
    ['a first start is given all the time that it takes', { seconds: 600, at: always(starting) }, ''],
    ['a failure: host, host, agent, agent, and no further', { seconds: 3500, at: always(failed) }, ladderOnce],
    ['the same with the card on air', { seconds: 3500, at: always(hanging) }, ladderOnce],
    ['no media host at all', { seconds: 3500, at: always(sight(null)) }, ladderOnce],
    ['the board, where it may be', { seconds: 3500, at: always(failed), mayReboot: true }, `${ladderOnce}, reboot 344`],
    ['attempts in between mend nothing', { seconds: 3500, at: (second) => (second % 10 === 4 ? starting : failed) }, ladderOnce],
    ['frames that do not leave, whatever the state says', { seconds: 30, at: always(frameless) }, 'media-host 28'],
    ['it comes back by itself in time', { seconds: 4000, at: (second) => (second < 18 ? failed : well) }, ''],
    ['the first step helps', { seconds: 3000, at: (second) => (second < 24 ? failed : well) }, 'media-host 20'],
    [
      'a second illness after a recovery begins at the foot of the ladder',
      { seconds: 260, at: (second) => (second < 24 || (second >= 200 && second < 224) ? failed : well) },
      'media-host 20, media-host 220',
    ],
    [
      'a recovery of moments is none',
      { seconds: 150, at: (second) => (second >= 44 && second < 60 ? well : failed) },
      'media-host 20, media-host 40, agent 120',
    ],
    [
      'a worn host is replaced while the card is on air, once',
      { seconds: 100, at: (second) => (second < 6 ? worn : unplugged) },
      'media-host 4',
    ],
    ['a worn host on air is not disturbed', { seconds: 100, at: always({ ...well, captureLosses: 30 }) }, ''],
  ])('%s', (_, world, expected) => {
    expect(live(world)).toBe(expected);
  });

  it('keeps its bounds an hour for a whole day, whatever comes', () => {
    const day = live({ seconds: 86_400, at: (second) => (second % 300 < 200 ? failed : well), mayReboot: true });
    for (const [step, bound] of bounds) {
      expect(timesOf(day, step).length).toBeGreaterThan(bound);
      expect(worstHour(day, step)).toBe(bound);
    }
  });

  it.each<[string, NonNullable<World['behindMs']>, number]>([
    ['after ten minutes by a day', (second) => (second < 600 ? dayMs : 0), 0],
    ['while the agent was started again', (second) => (second < 104 ? dayMs : 0), 10],
    ['back by a day', (second) => (second < 600 ? -dayMs : 0), 0],
    ['after 1970', (second) => (second < 600 ? bootMs : 0), 0],
  ])('a clock that is set neither lifts the bounds nor takes a step away: %s', (_, behindMs, agentAwayS) => {
    const right = live({ seconds: 7200, at: always(failed), agentAwayS });
    expect(live({ seconds: 7200, at: always(failed), agentAwayS, behindMs })).toBe(right);
  });

  it.each([
    ['1970', bootMs],
    ['yesterday', dayMs],
    ['a quarter of an hour ago', 900_000],
  ])('a board whose clock begins at %s with each boot, and is set a minute later, keeps its bounds an hour', (_, staleMs) => {
    const hours = live({
      seconds: 6 * 3600,
      at: always(failed),
      mayReboot: true,
      behindMs: (second, uptimeS) => (uptimeS < 60 ? Math.min(staleMs, bootMs + second * 1000) : 0),
    });
    expect(timesOf(hours, 'reboot').length).toBeGreaterThan(2);
    for (const [step, bound] of bounds) expect(worstHour(hours, step)).toBeLessThanOrEqual(bound);
  });

  it('a clock that was years ahead neither lifts the bounds nor stops everything for years', () => {
    const ahead = bootMs + 4 * 365 * 86_400_000;
    const taken = Array.from({ length: 4 }, () => ({ step: 'media-host' as const, atMs: ahead }));
    let state = startEscalation(
      { taken: [...taken, ...taken.slice(2).map(({ atMs }) => ({ step: 'agent' as const, atMs }))], wellAtMs: ahead },
      0,
    );
    const steps: number[] = [];
    for (let second = 0; second < 4000; second += tickS) {
      const now = { bootId: 'boot', monotonicMs: second * 1000, wallMs: bootMs + second * 1000 };
      const next = escalate(state, {
        media: failed.media,
        isSourceThere: true,
        captureLosses: 0,
        framesTotal: 0,
        mayReboot: false,
        ...now,
      });
      state = next.state;
      if (next.action !== null) steps.push(second);
    }
    expect(steps[0]).toBe(3600);
  });
});
