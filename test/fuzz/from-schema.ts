/** Inputs drawn from a JSON schema: such as fit it, such as nearly fit it, and such as have nothing to do with it. */
import fc from 'fast-check';
import { settingKeys } from '#protocol/settings.ts';

/** What the API's description of itself says of a value. */
export type Schema = {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
};

/** Longer texts, lists and records than this find nothing more, and cost time. */
const longest = { text: 300, list: 6, record: 6 } as const;

/** What programs trip over: ends of text, names of the language, SQL, paths, halves of characters, numbers at the ends of their range. */
export const awkwardValues: readonly unknown[] = [
  '',
  ' ',
  '\u0000',
  '__proto__',
  'constructor',
  'toString',
  "'; drop table devices; --",
  '../../etc/passwd',
  '%00',
  '\ud800',
  '\u202e\u0301\ufeff',
  'x'.repeat(5000),
  '1e999',
  'NaN',
  '9999-12-31T23:59:59.999999999Z',
  '0000-00-00T00:00:00Z',
  0,
  -0,
  -1,
  0.1,
  1e308,
  5e-324,
  2 ** 31,
  2 ** 53,
  -(2 ** 63),
  true,
  null,
  [],
  {},
  [[[[]]]],
];

/** Values that fit the schema. What of it is not understood here gives any value at all: the checks of the server are then tried. */
export function fitting(given: object): fc.Arbitrary<unknown> {
  const schema: Schema = given;
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(fitting));
  switch (schema.type) {
    case 'string':
      return text(schema);
    case 'integer':
      return wholeNumber(schema);
    case 'number':
      return number(schema);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(fitting(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? longest.list, Math.max(longest.list, schema.minItems ?? 0)),
      });
    case 'object':
      return object(schema);
    default:
      return fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(...awkwardValues));
  }
}

type Spoiling = 'replace' | 'remove' | 'add';
const everySpoiling: readonly Spoiling[] = ['replace', 'remove', 'add'];

/** Mostly such as fit; a third with one place spoilt; now and then anything. */
export function nearlyFitting(schema: object, spoilings = everySpoiling): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 6, arbitrary: fitting(schema) },
    { weight: 3, arbitrary: spoilt(fitting(schema), spoilings) },
    { weight: 1, arbitrary: fc.oneof(fc.jsonValue(), fc.constantFrom(...awkwardValues)) },
  );
}

function text({ pattern, minLength = 0, maxLength = longest.text }: Schema): fc.Arbitrary<string> {
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern, 'u'));
  const awkward = awkwardValues.filter((value) => typeof value === 'string' && value.length >= minLength && value.length <= maxLength);
  const any = fc.string({ unit: 'binary', minLength, maxLength: Math.min(maxLength, Math.max(minLength, longest.text)) });
  const fitsInUnits = any.filter((value) => value.length <= maxLength);
  return awkward.length === 0 ? fitsInUnits : fc.oneof(fitsInUnits, fc.constantFrom(...(awkward as string[])));
}

function wholeNumber({ minimum = -(2 ** 53) + 1, maximum = 2 ** 53 - 1 }: Schema): fc.Arbitrary<number> {
  const near = fc.integer({ min: Math.max(minimum, -10), max: Math.max(minimum, Math.min(maximum, 50)) });
  return fc.oneof(
    near,
    fc.maxSafeInteger().map((value) => Math.min(maximum, Math.max(minimum, value))),
    fc.constantFrom(minimum, maximum),
  );
}

function number({ minimum, maximum }: Schema): fc.Arbitrary<number> {
  const bounds = { ...(minimum === undefined ? {} : { min: minimum }), ...(maximum === undefined ? {} : { max: maximum }) };
  return fc.double({ noNaN: true, noDefaultInfinity: true, ...bounds });
}

/** The description of the API leaves out what the names of a record must look like: the records of ours are mostly settings. */
const anyKey = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...settingKeys) }, fc.string({ minLength: 1, maxLength: 60 }));

function object(given: Schema): fc.Arbitrary<unknown> {
  const { properties = {}, patternProperties = {}, additionalProperties, required = [] } = given;
  const { minProperties = 0, maxProperties = longest.record } = given;
  const named = fc.record(Object.fromEntries(Object.entries(properties).map(([key, schema]) => [key, fitting(schema)])), {
    requiredKeys: required as string[],
  });
  const [pattern, matching] = Object.entries(patternProperties)[0] ?? [];
  const schema = matching ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
  if (schema === undefined) return named;
  const key = pattern === undefined ? anyKey : fc.stringMatching(new RegExp(pattern, 'u'));
  const free = fc.dictionary(key, fitting(schema), { minKeys: minProperties, maxKeys: Math.min(maxProperties, longest.record) });
  return fc.tuple(named, free).map(([one, other]) => ({ ...other, ...one }));
}

/** One place of the value replaced, taken out, or put where nothing was. */
function spoilt(values: fc.Arbitrary<unknown>, spoilings: readonly Spoiling[]): fc.Arbitrary<unknown> {
  const how = fc.constantFrom(...spoilings);
  return fc.tuple(values, fc.nat({ max: 1000 }), fc.constantFrom(...awkwardValues), how).map(([value, where, awkward, change]) => {
    const copy: unknown = structuredClone(value);
    const places = [...placesOf(copy)];
    const place = places[where % Math.max(1, places.length)];
    if (place === undefined) return awkward;
    const { holder, key } = place;
    if (change === 'remove') delete holder[key];
    else if (change === 'add') holder['unknownKey'] = awkward;
    else holder[key] = awkward;
    return copy;
  });
}

type Place = { readonly holder: Record<string, unknown>; readonly key: string };

function* placesOf(value: unknown): Generator<Place> {
  if (typeof value !== 'object' || value === null) return;
  const holder = value as Record<string, unknown>;
  for (const key of Object.keys(holder)) {
    yield { holder, key };
    yield* placesOf(holder[key]);
  }
}
