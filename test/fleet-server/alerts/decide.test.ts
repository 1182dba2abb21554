import { describe, expect, test } from 'vitest';
import {
  type AlertsMemory,
  calmMs,
  type DeviceFacts,
  decideAlerts,
  type FleetFacts,
  nothingSeen,
  type RelayFacts,
  silencedBy,
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
  hasSaid: true,
  isSilenced: false,
  conditions: [],
  ...changes,
});
const away = (id: string, changes: Partial<DeviceFacts> = {}) =>
  device(id, { presence: { state: 'offline', reason: 'It left.' }, ...changes });
const relay = (server: string | null, kind: RelayFacts['kind'] = 'running'): RelayFacts => ({ server, kind, detail: kind });
const facts = (devices: readonly DeviceFacts[], ...relays: RelayFacts[]): FleetFacts => ({
  devices,
  well: new Map(),
  relays: relays.length === 0 ? [relay(null)] : relays,
  brokerProblem: null,
});

/** Runs one set of facts after the other, a second apart, as the server does; answers what was opened and resolved. */
function follow(rules: readonly AlertRule[], steps: readonly (readonly [seconds: number, facts: FleetFacts])[]) {
  let memory: AlertsMemory = nothingSeen;
  let nowMs = 0;
  const open = new Set<string>();
  const said: string[] = [];
  let details: ReadonlyMap<string, string> = new Map();
  for (const [seconds, now] of steps) {
    for (let second = 0; second < seconds; second += 1) {
      const decision = decideAlerts(memory, now, rules, open, nowMs);
      ({ memory, details } = decision);
      for (const { key, title } of decision.opened) {
        open.add(key);
        said.push(`${nowMs / 1000} s: ${title}`);
      }
      for (const key of decision.resolved) {
        open.delete(key);
        said.push(`${nowMs / 1000} s: over: ${key.replace(/(many).*/, '$1')}`);
      }
      nowMs += 1000;
    }
  }
  return { said, open: [...open], memory, details };
}

describe('a device that is away', () => {
  test('and of which that is told has no alert of coming and going as well; one that comes and goes has it, away or not', () => {
    const rules = [
      rule({}),
      rule({ id: 'unstable', trigger: { kind: 'condition', conditions: ['connection-unstable'], severity: 'info' } }),
    ];
    const conditions = [{ code: 'connection-unstable' }];
    const gone = facts([away('a', { conditions })]);
    const back = facts([device('a', { conditions })]);
    expect(
      follow(rules, [
        [12, facts([away('a')])],
        [60, gone],
      ]).said,
    ).toEqual(['10 s: device a is offline']);
    expect(
      follow(rules, [
        [12, facts([away('a')])],
        [5, gone],
        [25, back],
      ]).said,
    ).toEqual(['10 s: device a is offline', '26 s: over: r/a/offline', '37 s: device a: Connection comes and goes']);
    expect(
      follow(rules, [
        [8, gone],
        [12, back],
        [8, gone],
        [40, back],
        [12, facts([device('a')])],
      ]).said,
    ).toEqual(['10 s: device a: Connection comes and goes', '77 s: over: unstable/a/connection-unstable']);
  });

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
    expect(said).toEqual(['10 s: 6 of 6 devices went offline', '39 s: over: r/many', '40 s: device f is offline']);
  });

  test('is one of those that are watched, among them all that are well', () => {
    const many = ['a', 'b', 'c', 'd', 'e'].map((id) => away(id, { group: 'hall' }));
    const among = (well: readonly (readonly [string | null, number])[]) =>
      follow([rule({})], [[11, { ...facts(many), well: new Map(well) }]]);
    expect(among([['hall', 6]]).said).toEqual(['10 s: 5 of 11 devices went offline']);
    const most = among([
      ['hall', 2],
      [null, 3],
    ]);
    expect(most.said).toEqual(['10 s: 5 of 7 devices of hall went offline']);
    const ofHall = follow(
      [rule({ group: 'hall' })],
      [
        [
          11,
          {
            ...facts(many),
            well: new Map([
              ['hall', 1],
              [null, 100],
            ]),
          },
        ],
      ],
    );
    expect(ofHall.said).toEqual(['10 s: 5 of 6 devices of hall went offline']);
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
    ).toEqual(['10 s: device a is offline', '70 s: 6 of 7 devices went offline']);
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

describe('many devices at once', () => {
  const ids = (count: number, name: string) => Array.from({ length: count }, (_, index) => `${name}${index}`);
  const venue = (name: string, count: number, make: (id: string, changes: Partial<DeviceFacts>) => DeviceFacts) =>
    ids(count, name).map((id) => make(id, { group: name }));
  const here = venue('elsewhere', 980, device);

  test('a venue without power in a large fleet is one alert that names it, and who it is now', () => {
    const hall = venue('hall', 20, away);
    const { said, details } = follow(
      [rule({})],
      [
        [20, facts([...here, ...hall])],
        [20, facts([...here, ...hall.map((one, index) => (index < 17 ? device(one.id, { group: 'hall' }) : one))])],
      ],
    );
    expect(said).toEqual(['10 s: 20 of 20 devices of hall went offline']);
    expect([...details.values()]).toEqual([
      '3 now: device hall17, device hall18, device hall19. Look at the network and the power of the venue.',
    ]);
  });

  test('its devices are found to be away one after the other, as their keepalives run out', () => {
    const leaving = Array.from({ length: 20 }, (_, second) => [
      1,
      facts([...here, ...ids(20, 'hall').map((id, index) => (index <= second ? away : device)(id, { group: 'hall' }))]),
    ]) as [number, FleetFacts][];
    const { said, details } = follow([rule({})], [...leaving, [60, leaving[19]?.[1] ?? facts([])]]);
    expect(said).toEqual(['10 s: 11 of 20 devices of hall went offline']);
    expect([...details.values()][0]).toMatch(/^20 now: /);
  });

  test('two of a venue are two alerts, and a few of a large venue are as many', () => {
    const two = [away('a', { group: 'hall' }), away('b', { group: 'hall' })];
    expect(follow([rule({})], [[12, facts([...here, ...two])]]).said).toHaveLength(2);
    const few = [...venue('hall', 20, device), ...ids(4, 'gone').map((id) => away(id, { group: 'hall' }))];
    expect(follow([rule({})], [[12, facts([...here, ...few])]]).said).toHaveLength(4);
  });

  test('of no common venue are one as well, and those of many venues are one', () => {
    const strewn = ids(7, 'x').map((id, index) => away(id, { group: `g${index}` }));
    const rest = strewn.flatMap(({ group }) => ids(3, `${group}-`).map((id) => device(id, { group })));
    expect(follow([rule({})], [[12, facts([...here, ...strewn, ...rest])]]).said).toEqual(['10 s: 7 of 1008 devices went offline']);
    const venues = ['a', 'b', 'c', 'd'].flatMap((name) => venue(name, 4, away));
    expect(follow([rule({})], [[12, facts([...here, ...venues])]]).said).toEqual(['10 s: 16 of 996 devices went offline']);
    expect(follow([rule({})], [[12, facts([...here, ...venues.slice(0, 8)])]]).said).toEqual([
      '10 s: 4 of 4 devices of a went offline',
      '10 s: 4 of 4 devices of b went offline',
    ]);
  });

  test('with the same condition are one alert with what to do; another condition is another', () => {
    const sick = (id: string, changes: Partial<DeviceFacts>) => device(id, { ...changes, conditions: [{ code: 'output-down' }] });
    const hot = device('hot', { conditions: [{ code: 'pipeline-failed' }] });
    const { said, open, details } = follow([critical], [[12, facts([...venue('hall', 4000, sick), hot])]]);
    expect(said).toEqual(['10 s: 4000 of 4000 devices of hall: Stream target unreachable', '10 s: device hot: Pipeline failed']);
    expect(open).toHaveLength(2);
    const [detail = ''] = details.values();
    expect(detail).toMatch(/^4000 now: device hall0, .* and 39[0-9]{2} more\. The device keeps trying\./);
    expect(detail.length).toBeLessThan(1000);
  });

  test('what follows later is told by itself, and who was told of alone is not told of again', () => {
    const hall = venue('hall', 6, device);
    const gone = (count: number) => facts([...here, ...hall.map((one, index) => (index < count ? away(one.id, { group: 'hall' }) : one))]);
    const { said } = follow(
      [rule({})],
      [
        [60, gone(1)],
        [60, gone(5)],
        [60, gone(6)],
        [60, gone(1)],
      ],
    );
    expect(said).toEqual([
      '10 s: device hall0 is offline',
      '70 s: 4 of 6 devices of hall went offline',
      '130 s: device hall5 is offline',
      '189 s: over: r/many',
      '189 s: over: r/hall5/offline',
    ]);
  });

  test('nothing is told anew when the server restarts, while the devices are unknown, nor in a maintenance window', () => {
    const hall = venue('hall', 20, away);
    const unknown = hall.map((one) => ({ ...one, presence: { state: 'unknown', reason: 'The fleet server has just started.' } as const }));
    const silenced = hall.map((one) => ({ ...one, isSilenced: true }));
    const { said } = follow(
      [rule({})],
      [
        [20, facts([...here, ...hall])],
        [60, facts([...here, ...unknown])],
        [60, facts([...here, ...silenced])],
        [60, facts([...here, ...hall])],
        [60, facts([...here, ...venue('hall', 20, device)])],
      ],
    );
    expect(said).toEqual(['10 s: 20 of 20 devices of hall went offline', '209 s: over: r/many']);
  });

  test('what has gathered and could not be written is gathered again', () => {
    const hall = facts([...here, ...venue('hall', 20, away)]);
    let { memory } = decideAlerts(nothingSeen, hall, [rule({})], new Set(), 0);
    const first = decideAlerts(memory, hall, [rule({})], new Set(), 10_000);
    ({ memory } = first);
    expect(decideAlerts(memory, hall, [rule({})], new Set(), 11_000).opened).toEqual(first.opened);
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

  test('of a device that is back after a restart and has not said yet how it is stays as it was', () => {
    const back = device('a', { hasSaid: false });
    const { said } = follow(
      [critical],
      [
        [12, having('pipeline-failed')],
        [40, facts([back])],
        [20, having('pipeline-failed')],
        [20, facts([device('a')])],
      ],
    );
    expect(said).toEqual(['10 s: device a: Pipeline failed', '81 s: over: r/a/pipeline-failed']);
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
  const known = { devices: [], well: new Map(), relays: undefined, brokerProblem: undefined };
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
    '5000 of 10000 devices went offline',
  ]);
});

describe('an alert is silenced', () => {
  const many = 'r/many/hall/offline/0/0';
  const seen = (gatheredAs: string | null) => ({ sinceMs: 0, lastSeenMs: 0, gatheredAs });
  const memory = new Map([
    ['r/a/offline', seen(many)],
    ['r/b/offline', seen(many)],
    ['r/c/offline', seen(null)],
  ]);
  const inWindow = (...ids: string[]) => facts(['a', 'b', 'c'].map((id) => away(id, { isSilenced: ids.includes(id) })));
  const wholeFleet: FleetFacts = { ...inWindow('a', 'b', 'c'), relays: undefined };
  test.each([
    ['of many, one of whom is in a window', many, inWindow('a'), false],
    ['of many, all of whom are', many, inWindow('a', 'b'), true],
    ['of one that is', 'r/c/offline', inWindow('c'), true],
    ['of one that is not', 'r/c/offline', inWindow('a', 'b'), false],
    ['of the relay, while all devices are', 'r/relay', inWindow('a', 'b', 'c'), false],
    ['of the relay, in the window of the fleet', 'r/relay', wholeFleet, true],
    ['of the broker, in the window of the fleet', 'r/broker', wholeFleet, true],
  ])('or not: %s', (_name, key, now, isSilenced) => {
    expect(silencedBy(now, memory)(key)).toBe(isSilenced);
  });
});
