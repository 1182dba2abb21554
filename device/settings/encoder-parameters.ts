/**
 * Whether AV_H264_ENCODER_PARAMS fits the encoder, from what the encoder says of its own properties. Pure.
 *
 * INVARIANT: only numbers, booleans and named choices pass. Text properties never do: x264enc's multipass-cache-file, for one,
 * names a file to write.
 */
import type { EncoderFact, EncoderProperty } from '#device/detect/facts.ts';
import type { EncoderProfile } from '#hardware-profiles/schema.ts';

export type EncoderParameter = { readonly name: string; readonly value: string };

const maximumParameters = 32;

const settingForReserved: Readonly<Record<string, string>> = {
  bitrate: 'AV_VIDEO_BITRATE',
  'key-int-max': 'AV_KEYFRAME_INTERVAL',
  'gop-size': 'AV_KEYFRAME_INTERVAL',
};

/** `name=value` pairs with spaces between them; null when the text is anything else. */
export function parseParameters(text: string): readonly EncoderParameter[] | null {
  const words = text.split(' ').filter((word) => word !== '');
  const pairs = words.map((word) => /^([a-z][a-z0-9-]*)=([A-Za-z0-9_.+-]+)$/.exec(word));
  if (words.length > maximumParameters || pairs.some((pair) => pair === null)) return null;
  return pairs.flatMap((pair) => (pair?.[1] === undefined || pair[2] === undefined ? [] : [{ name: pair[1], value: pair[2] }]));
}

/** Those of the pairs that fit: what was refused and is planned all the same (after a restart with another camera, say) is left out. */
export function fittingParameters(
  text: string,
  profile: EncoderProfile | undefined,
  encoders: readonly EncoderFact[],
): readonly EncoderParameter[] {
  const parameters = parseParameters(text) ?? [];
  return parameters.filter(({ name, value }) => findParameterProblems(`${name}=${value}`, profile, encoders).length === 0);
}

export function findParameterProblems(
  text: string,
  profile: EncoderProfile | undefined,
  encoders: readonly EncoderFact[],
): readonly string[] {
  if (text.trim() === '') return [];
  const parameters = parseParameters(text);
  if (parameters === null) return [`expected at most ${maximumParameters} name=value pairs with spaces between them`];
  const fact = encoders.find((encoder) => encoder.element === profile?.match.element);
  if (profile === undefined || fact === undefined || fact.properties.length === 0) {
    return ['expected no parameter, because no encoder on this device could be asked for its parameters'];
  }
  const names = parameters.map((parameter) => parameter.name);
  return parameters.flatMap((parameter, index) => {
    if (names.indexOf(parameter.name) !== index) return [`"${parameter.name}" came twice`];
    const problem = parameterProblem(parameter, profile, fact);
    return problem === null ? [] : [problem];
  });
}

function parameterProblem({ name, value }: EncoderParameter, profile: EncoderProfile, fact: EncoderFact): string | null {
  const property = fact.properties.find((candidate) => candidate.name === name);
  if (property === undefined) return `${fact.element} has no parameter "${name}"`;
  if (profile.reserved.includes(name)) {
    const setting = settingForReserved[name];
    return setting === undefined ? `"${name}" of ${fact.element} cannot be changed` : `"${name}" is set by ${setting}`;
  }
  if (!property.writable) return `"${name}" of ${fact.element} can only be read`;
  const expected = expectation(property, value);
  return expected === null ? null : `"${name}" of ${fact.element}: ${expected}, came "${value}"`;
}

/** What was expected, when the value is not it; null when it fits. */
function expectation(property: EncoderProperty, value: string): string | null {
  switch (property.kind) {
    case 'boolean':
      return /^(?:true|false|yes|no|1|0)$/i.test(value) ? null : 'expected true or false';
    case 'integer':
      return /^-?\d{1,19}$/.test(value) && isWithin(property, Number(value)) ? null : `expected a whole number${rangeOf(property)}`;
    case 'number':
      return /^-?\d{1,19}(?:\.\d{1,12})?$/.test(value) && isWithin(property, Number(value))
        ? null
        : `expected a number${rangeOf(property)}`;
    case 'enum':
      return property.choices.includes(value) ? null : `expected one of ${property.choices.join(', ')}`;
    case 'flags':
      return value.split('+').every((flag) => property.choices.includes(flag))
        ? null
        : `expected one or more of ${property.choices.join(', ')}, joined by "+"`;
    case 'string':
    case 'other':
      return 'expected a parameter that is a number, a boolean or a named choice';
    default:
      return property.kind satisfies never;
  }
}

function isWithin({ minimum, maximum }: EncoderProperty, value: number): boolean {
  return (minimum === null || value >= minimum) && (maximum === null || value <= maximum);
}

function rangeOf({ minimum, maximum }: EncoderProperty): string {
  return minimum === null || maximum === null ? '' : ` from ${minimum} to ${maximum}`;
}
