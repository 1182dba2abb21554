import { expect, test } from 'vitest';
import { emptyIndex, type Recording, type RecordingIndex, reconcile } from '#device/recording/recording-index.ts';
import { chooseDeletions, mayConvert } from '#device/recording/room.ts';

const gigabyte = 1e9;
// 32 GB: 1.6 GB are kept for the system, and 0.256 GB of headroom.
const empty = { totalBytes: 32 * gigabyte, freeBytes: 20 * gigabyte };

/** All room that may be used is used. */
const full = { ...empty, freeBytes: 1.856 * gigabyte };
const between = '2026-11-21T11-30-00Z';

/** `w1 r2p` is a list of a waiting recording and a ready, protected one. */
function index(words: string, bytes = gigabyte): RecordingIndex {
  const states = { n: 'recording', w: 'waiting', r: 'ready', u: 'unconvertible' } as const;
  const names = words.split(' ');
  const seen = names.map((_word, position) => ({
    name: `2026-11-21T1${position}-00-00Z`,
    format: 'flv' as const,
    bytes,
    isProtected: names[position]?.endsWith('p') ?? false,
    isComplete: true,
  }));
  const { nextNumber, recordings } = reconcile(emptyIndex, seen);
  const stated = recordings.map((recording, position): Recording => {
    const letter = (names[position]?.[0] ?? 'r') as keyof typeof states;
    return { ...recording, state: states[letter] };
  });
  return { nextNumber, recordings: stated };
}

const chosen = (...needs: Parameters<typeof chooseDeletions>) => chooseDeletions(...needs).map(({ number }) => number);

test.each<[string, string, Partial<Parameters<typeof chooseDeletions>[1]>, number[]]>([
  ['there is room for all', 'r r r', {}, []],
  ['the quota is reached: the oldest', 'r r r', { maximumBytes: 2 * gigabyte }, [1]],
  ['what is protected stays and does not count', 'rp r r', { maximumBytes: 2 * gigabyte }, []],
  ['the next oldest goes for it', 'rp r r r', { maximumBytes: 2 * gigabyte }, [2]],
  ['the one that is written never goes', 'rp rp n', { maximumBytes: 0 }, []],
  ['the one that is worked on does not go now', 'w r r', { maximumBytes: 2 * gigabyte, busyName: '2026-11-21T10-00-00Z' }, [2]],
  ['the disk is filling up', 'r r r', { disk: { ...empty, freeBytes: gigabyte } }, [1]],
  ['by something else, and a lot', 'r r r', { disk: { ...empty, freeBytes: 0 } }, [1, 2]],
  ['and nothing may go', 'rp rp rp', { disk: { ...empty, freeBytes: 0 } }, []],
  ['older ones go for a conversion', 'r r w', { disk: { ...empty, freeBytes: 2 * gigabyte } }, [1, 2]],
  ['none where they would not be enough', 'r w', { disk: { ...empty, freeBytes: 2 * gigabyte } }, []],
  ['newer ones do not', 'w r r', { disk: { ...empty, freeBytes: 2 * gigabyte } }, []],
  ['older ones go for one that comes from elsewhere', 'r r r', { disk: full, arriving: [{ name: between, bytes: 0.5 * gigabyte }] }, [1]],
  ['as many as it needs', 'r r r', { disk: full, arriving: [{ name: between, bytes: 1.5 * gigabyte }] }, [1, 2]],
  ['past a protected one', 'rp r r', { disk: full, arriving: [{ name: between, bytes: 0.5 * gigabyte }] }, [2]],
  ['none where they would not be enough', 'rp r r', { disk: full, arriving: [{ name: between, bytes: 1.5 * gigabyte }] }, []],
  [
    'where the first of them has no place, for the next',
    'r r rp r',
    {
      disk: full,
      arriving: [
        { name: '2026-11-21T09-00-00Z', bytes: 9 * gigabyte },
        { name: between, bytes: 0.5 * gigabyte },
      ],
    },
    [1],
  ],
  ['newer ones do not', 'r r r', { disk: full, arriving: [{ name: '2026-11-21T09-00-00Z', bytes: 0.5 * gigabyte }] }, []],
])('%s', (_name, words, need, expected) => {
  expect(chosen(index(words), { disk: empty, maximumBytes: 1e12, busyName: null, ...need })).toEqual(expected);
});

test.each([
  ['', 0.5 * gigabyte, [1]],
  [', and none where that would not be enough', 1.5 * gigabyte, []],
])(
  'behind one of a later name, of a clock that was wrong once, none goes for one that comes from elsewhere%s',
  (_name, bytes, expected) => {
    const [first, wrong, behind] = index('r r r').recordings;
    if (first === undefined || wrong === undefined || behind === undefined) throw new Error('expected three recordings');
    const recordings = [first, { ...wrong, name: '2036-01-01T10-00-00Z' }, { ...behind, name: '1970-01-01T00-00-10Z' }];
    const need = { disk: full, maximumBytes: 1e12, busyName: null, arriving: [{ name: between, bytes }] };
    expect(chosen({ nextNumber: 4, recordings }, need)).toEqual(expected);
  },
);

test('a conversion begins only where there is room for it', () => {
  const [waiting] = index('w').recordings;
  if (waiting === undefined) throw new Error('expected a recording');
  expect(mayConvert(empty, waiting)).toBe(true);
  expect(mayConvert({ ...empty, freeBytes: 3 * gigabyte }, waiting)).toBe(false);
});
