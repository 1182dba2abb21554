import { describe, expect, test } from 'vitest';
import {
  type AlertsMemory,
  calmMs,
  type DeviceFacts,
  decideAlerts,
  type FleetFacts,
  nothingSeen,
  type RelayFacts,
} from '#fleet-server/alerts/decide.ts';
import type { AlertRule } from '#protocol/model/alert.ts';

const rule = (changes: Partial<AlertRule>): AlertRule => ({
  id: 'r',
  name: 'a rule',
  trigger: { kind: 'offline' },
  forS: 10,
  severity: 'critical',
  group: null,
  enabled: true,
  channelIds: [],
  quietHours: null,
  escalation: null,
  ...changes,
});
const critical = rule({ trigger: { kind: 'condition', conditions: [], severity: 'critical' } });
const relayDown = rule({ id: 'relay-rule', trigger: { kind: 'relay-down' }, forS: 0 });
const brokerDown = rule({ id: 'broker-rule', trigger: { kind: 'broker-down' }, forS: 5 });

const device = (id: string, changes: Partial<DeviceFacts> = {}): DeviceFacts => ({
  id,
  name: `device ${id}`,
  group: null,
  presence: { state: 'online', reason: 'Connected.' },
  hasConnected: true,
  isSilenced: false,
  conditions: [],
  ...changes,
});
const away = (id: string, changes: Partial<DeviceFacts> = {}) =>
  device(id, { presence: { state: 'offline', reason: 'It left.' }, ...changes });
const relay = (server: string | null, kind: RelayFacts['kind'] = 'running'): RelayFacts => ({ server, kind, detail: kind });
const facts = (devices: readonly DeviceFacts[], ...relays: RelayFacts[]): FleetFacts => ({
  devices,
  relays: relays.length === 0 ? [relay(null)] : relays,
  brokerProblem: null,
});

/** Runs one set of facts after the other, a second apart, as the server does; answers what was opened and resolved. */
function follow(rules: readonly AlertRule[], steps: readonly (readonly [seconds: number, facts: FleetFacts])[]) {
  let memory: AlertsMemory = nothingSeen;
  let nowMs = 0;
  const open = new Set<string>();
  const said: string[] = [];
  for (const [seconds, now] of steps) {
    for (let second = 0; second < seconds; second += 1) {
      const decision = decideAlerts(memory, now, rules, open, nowMs);
      memory = decision.memory;
      for (const { key, title } of decision.opened) {
        open.add(key);
        said.push(`${nowMs / 1000} s: ${title}`);
      }
      for (const key of decision.resolved) {
        open.delete(key);
        said.push(`${nowMs / 1000} s: over: ${key}`);
      }
      nowMs += 1000;
    }
  }
  return { said, open: [...open], memory };
}

describe('a device that is away', () => {
  test('has an alert once it has lasted, and its end is told once it is calm', () => {
    const { said } = follow(
      [rule({})],
      [
        [20, facts([away('a')])],
        [20, facts([device('a')])],
      ],
    );
    expect(said).toEqual(['10 s: device a is offline', `${19 + calmMs / 1000} s: over: r/a/offline`]);
  });

  test('has none when it comes back in time, nor when it never was there', () => {
    expect(
      follow(
        [rule({})],
        [
          [9, facts([away('a')])],
          [30, facts([device('a')])],
        ],
      ).said,
    ).toEqual([]);
    expect(follow([rule({})], [[60, facts([away('a', { hasConnected: false })])]]).said).toEqual([]);
  });

  test('and comes and goes has one', () => {
    const turn = [
      [5, facts([device('a')])],
      [5, facts([away('a')])],
    ] as const;
    const { said } = follow([rule({})], [[15, facts([away('a')])], ...turn, ...turn, ...turn]);
    expect(said).toEqual(['10 s: device a is offline']);
  });

  test('with many others is one alert, and each that stays away afterwards has its own', () => {
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    const all = facts(ids.map((id) => away(id)));
    const onlyOne = facts(ids.map((id) => (id === 'f' ? away(id) : device(id))));
    const { said } = follow(
      [rule({})],
      [
        [30, all],
        [40, onlyOne],
      ],
    );
    expect(said).toEqual(['10 s: 6 of 6 devices are offline', '39 s: over: r/many', '40 s: device f is offline']);
  });

  test('and was told of before others joined it stays told of', () => {
    const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const first = facts(ids.map((id) => (id === 'a' ? away(id) : device(id))));
    const all = facts(ids.map((id) => away(id)));
    expect(
      follow(
        [rule({})],
        [
          [60, first],
          [60, all],
        ],
      ).said,
    ).toEqual(['10 s: device a is offline', '70 s: 7 of 7 devices are offline']);
  });

  test('is nobody’s business for a rule about another group, or one that is off', () => {
    const here = facts([away('a', { group: 'hall' })]);
    expect(follow([rule({ group: 'stage' }), rule({ id: 'off', enabled: false })], [[60, here]]).said).toEqual([]);
    expect(follow([rule({ group: 'hall' })], [[60, here]]).said).toEqual(['10 s: device a is offline']);
  });

  test('is unknown after a restart of the server: nothing is opened, and nothing that was open is over', () => {
    const unknown = facts([device('a', { presence: { state: 'unknown', reason: 'The fleet server has just started.' } })]);
    const decision = decideAlerts(nothingSeen, unknown, [rule({})], new Set(['r/a/offline']), 0);
    expect(decision.opened).toEqual([]);
    expect(decision.resolved).toEqual([]);
  });
});

describe('a condition', () => {
  const having = (...codes: string[]) => facts([device('a', { conditions: codes.map((code) => ({ code, detail: 'why' })) })]);

  test('of the severity that a rule asks for has an alert with what to do', () => {
    const { said, open } = follow([critical], [[12, having('pipeline-failed', 'board-hot')]]);
    expect(said).toEqual(['10 s: device a: Pipeline failed']);
    expect(open).toEqual(['r/a/pipeline-failed']);
  });

  test('that is named has one whatever its severity', () => {
    const named = rule({ trigger: { kind: 'condition', conditions: ['board-hot'], severity: 'critical' } });
    expect(follow([named], [[12, having('pipeline-failed', 'board-hot')]]).said).toEqual(['10 s: device a: Board hot']);
  });

  test('that another explains has none of its own', () => {
    expect(follow([critical], [[60, having('pipeline-failed', 'output-down')]]).said).toEqual(['10 s: device a: Pipeline failed']);
  });

  test('that a relay which is down explains has none: one cause, one alert', () => {
    const conditions = [{ code: 'relay-down' }, { code: 'stream-not-arriving' }, { code: 'output-down' }];
    const devices = Array.from({ length: 100 }, (_, index) => device(`d${index}`, { conditions }));
    const { said } = follow([critical, relayDown], [[60, facts(devices, relay(null, 'down'))]]);
    expect(said).toEqual(['0 s: The relay is down']);
  });

  test('of a device that streams to another relay is not that relay’s', () => {
    const elsewhere = device('a', { conditions: [{ code: 'output-down' }] });
    const { said } = follow([critical, relayDown], [[12, facts([elsewhere], relay(null, 'down'))]]);
    expect(said).toEqual(['0 s: The relay is down', '10 s: device a: Stream target unreachable']);
  });

  test('that this version does not know is let through without an alert', () => {
    expect(follow([critical], [[60, having('from-the-future')]]).said).toEqual([]);
  });

  test('of a device that went away is over: that it is away says more', () => {
    const rules = [critical, rule({ id: 'away' })];
    const { said } = follow(rules, [
      [12, having('pipeline-failed')],
      [40, facts([away('a')])],
    ]);
    expect(said).toEqual(['10 s: device a: Pipeline failed', '21 s: over: r/a/pipeline-failed', '22 s: device a is offline']);
  });
});

test('a broker that is down is one alert, however many devices it hides', () => {
  const unknown = { state: 'unknown', reason: 'The fleet server is not connected to the MQTT broker.' } as const;
  const devices = Array.from({ length: 100 }, (_, index) => device(`d${index}`, { conditions: [{ code: 'stream-not-arriving' }] }));
  const hidden = devices.map((one) => ({ ...one, presence: unknown }));
  const up = facts(devices.map((one) => ({ ...one, conditions: [] })));
  const down: FleetFacts = { ...facts(hidden), brokerProblem: 'The MQTT broker at example.org:1883 cannot be used.' };
  const steps = [
    [20, up],
    [100, down],
    [20, up],
  ] as const;
  const { said } = follow([critical, rule({ id: 'away' }), brokerDown], steps);
  expect(said).toEqual(['25 s: The MQTT broker is down', '129 s: over: broker-rule/broker']);
});

test('while nobody knows of the relay or the broker, what is open about them stays open', () => {
  const known = { devices: [], relays: undefined, brokerProblem: undefined };
  const decision = decideAlerts(nothingSeen, known, [relayDown, brokerDown], new Set(['relay-rule/relay', 'broker-rule/broker']), 0);
  expect(decision).toMatchObject({ opened: [], resolved: [] });
});

describe('the relays of several servers', () => {
  const both = (b: RelayFacts['kind']) => facts([], relay('a:80'), relay('b:80', b));

  test('each that is down is one alert that names its server, and is over when it runs again', () => {
    const { said } = follow(
      [relayDown],
      [
        [5, both('down')],
        [20, both('running')],
      ],
    );
    expect(said).toEqual(['0 s: The relay of b:80 is down', '14 s: over: relay-rule/relay/b:80']);
  });

  test('a server that is gone after its relay opens no second one; when it starts again it is over once its relay runs', () => {
    const { said } = follow(
      [relayDown],
      [
        [5, both('down')],
        [20, both('gone')],
        [20, both('unknown')],
        [5, both('running')],
      ],
    );
    expect(said).toEqual(['0 s: The relay of b:80 is down', '45 s: over: relay-rule/relay/b:80']);
  });

  test('a server that is gone is named', () => {
    expect(follow([relayDown], [[1, both('gone')]]).said).toEqual(['0 s: The fleet server b:80 is gone']);
  });

  test('one that was taken away in order is missed no more', () => {
    const { said } = follow(
      [relayDown],
      [
        [5, both('gone')],
        [20, facts([], relay('a:80'))],
      ],
    );
    expect(said.at(-1)).toBe('14 s: over: relay-rule/relay/b:80');
  });
});

test('what a rule that was removed had opened is over', () => {
  expect(decideAlerts(nothingSeen, facts([]), [], new Set(['gone/a/offline']), 0).resolved).toEqual(['gone/a/offline']);
});

test('ten thousand devices are looked at in well under a second', () => {
  const many = facts(Array.from({ length: 10_000 }, (_, index) => (index % 2 === 0 ? device(`d${index}`) : away(`d${index}`))));
  const rules = [rule({}), critical, relayDown];
  const first = decideAlerts(nothingSeen, many, rules, new Set(), 0);
  expect(decideAlerts(first.memory, many, rules, new Set(), 11_000).opened.map(({ title }) => title)).toEqual([
    '5000 of 10000 devices are offline',
  ]);
});
