/**
 * How requests are checked and answers are written.
 *
 * Answers are written with JSON.stringify rather than with Fastify's generated serializer: that one chooses a branch of a union by its first match and
 * drops what the branch does not name, silently. Instead each answer can be checked against its schema (`checkAnswers`, on in
 * the tests): a wrong or an unnamed field is then an error.
 */
import type { FastifyInstance, FastifySchema } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { Value } from 'typebox/value';
import { errorStatuses, type FieldProblem, FleetError } from '#fleet-server/errors.ts';
import { Problem } from '#protocol/model/problem.ts';

/** Every route may answer with a problem; spread into its `response`. */
export const problemAnswers = { '4xx': Problem, '5xx': Problem } as const;

type SchemaError = { readonly instancePath: string; readonly message: string; readonly keyword?: string };

function fieldProblems(part: string, errors: readonly SchemaError[]): FieldProblem[] {
  const seen = new Map<string, FieldProblem>();
  for (const { instancePath, message } of errors) {
    const key = `${part}${instancePath}`;
    // Never the value that came: it may be a secret.
    if (!seen.has(key)) seen.set(key, { key, expected: message.replace(/^must /, ''), came: 'something else' });
    if (seen.size >= 20) break;
  }
  return [...seen.values()];
}

/** The schemas are constants of their modules: one check each, however many servers a process makes of them. */
const checks = new WeakMap<TSchema, Validator>();

function checkOf(schema: TSchema): Validator {
  const known = checks.get(schema);
  if (known !== undefined) return known;
  const made = Compile(schema);
  checks.set(schema, made);
  return made;
}

export function installAnswers(app: FastifyInstance, options: { readonly checkAnswers: boolean }): void {
  app.setValidatorCompiler<TSchema>(({ schema, httpPart }) => {
    const validator = checkOf(schema);
    const namesItsFields = httpPart === 'body' && 'properties' in schema;
    return (value: unknown) => {
      // Paths and query strings are text: numbers and booleans in them are read first.
      const converted = httpPart === 'body' ? value : Value.Convert(schema, value);
      // What a body holds beyond its schema goes no further: it would be stored, and shown again, with the rest.
      if (validator.Check(converted)) return { value: namesItsFields ? Value.Clean(schema, converted) : converted };
      const problems = fieldProblems(httpPart ?? 'request', validator.Errors(converted));
      const list = problems.map(({ key, expected }) => `${key}: ${expected}`).join('; ');
      return { error: new FleetError('wrong-fields', `The request does not fit: ${list}.`, { problems }) };
    };
  });
  app.setSerializerCompiler<FastifySchema & TSchema>(({ schema, url, method }) => {
    if (!options.checkAnswers) return (data) => JSON.stringify(data);
    const validator = checkOf(schema);
    return (data) => {
      const text = JSON.stringify(data);
      const value: unknown = text === undefined ? null : JSON.parse(text);
      const first = validator.Errors(value)[0];
      if (!validator.Check(value)) throw new Error(`${method} ${url} answers wrongly: ${first?.instancePath} ${first?.message}`);
      if (!Value.Equal(Value.Clean(schema, Value.Clone(value)), value)) {
        throw new Error(`${method} ${url} answers with a field that its schema does not name`);
      }
      return text;
    };
  });
}

const codeByFastifyCode: Readonly<Record<string, keyof typeof errorStatuses>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'bad-request',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'bad-request',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'bad-request',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'not-json',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
};
const messageByCode: Partial<Record<keyof typeof errorStatuses, string>> = {
  'bad-request': 'Expected a body in JSON, got one that cannot be read.',
  'not-json': 'Expected a body in JSON (content-type: application/json).',
  'body-too-large': 'The body is larger than this route takes.',
};

/** What was thrown, as an error of the table; undefined when it is none and so a bug. */
export function toFleetError(thrown: unknown): FleetError | undefined {
  if (thrown instanceof FleetError) return thrown;
  if (!(thrown instanceof Error)) return undefined;
  const fastifyCode = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
  const code = codeByFastifyCode[fastifyCode];
  if (code !== undefined) return new FleetError(code, messageByCode[code] ?? 'The request cannot be read.');
  const status = 'statusCode' in thrown ? thrown.statusCode : undefined;
  if (status === errorStatuses['too-many'])
    return new FleetError('too-many', 'Too many requests from this address. Wait a minute and try again.');
  if (typeof status === 'number' && status >= 400 && status < 500) return new FleetError('bad-request', 'The request cannot be read.');
  return undefined;
}
