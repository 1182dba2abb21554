/**
 * The one door to the fleet server. Every answer is checked against the protocol's schema; whatever is not a success is
 * thrown as an ApiProblem.
 */
import type { Static, TSchema } from 'typebox';
import { Check } from 'typebox/value';
import { Problem } from '#protocol/model/problem.ts';
import { noteAnswer } from './server-clock.ts';

export type FieldProblem = NonNullable<Problem['problems']>[number];

export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  /** HTTP status; 0 when there was no answer at all. */
  readonly status: number;
  readonly code: string;
  readonly problems: readonly FieldProblem[];

  constructor(status: number, problem: Problem) {
    super(problem.message);
    this.status = status;
    this.code = problem.code;
    this.problems = problem.problems ?? [];
  }
}

const timeoutMs = 15_000;
const root = '/api/v1';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
type Request = {
  readonly method: Method;
  readonly path: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  readonly patienceMs?: number;
};

export function pathOf(...parts: readonly string[]): string {
  return parts.map((part) => `/${encodeURIComponent(part)}`).join('');
}

export async function get<Schema extends TSchema>(path: string, schema: Schema, signal?: AbortSignal): Promise<Static<Schema>> {
  return read(await ask({ method: 'GET', path, signal }), schema);
}

export async function send<Schema extends TSchema>(
  method: 'POST' | 'PUT' | 'PATCH',
  path: string,
  body: unknown,
  schema: Schema,
): Promise<Static<Schema>> {
  return read(await ask({ method, path, body }), schema);
}

/** Asks for something that is answered by its success alone. */
export async function act(path: string, { body, patienceMs = timeoutMs }: Pick<Request, 'body' | 'patienceMs'> = {}): Promise<void> {
  await ask({ method: 'POST', path, body, patienceMs });
}

export async function remove(path: string): Promise<void> {
  await ask({ method: 'DELETE', path });
}

async function ask({ method, path, body, signal, patienceMs = timeoutMs }: Request): Promise<Response> {
  const sentAtMs = Date.now();
  const timeout = AbortSignal.timeout(patienceMs);
  let response: Response;
  try {
    response = await fetch(root + path, {
      method,
      credentials: 'same-origin',
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
  } catch (cause) {
    if (signal?.aborted === true) throw cause;
    throw new ApiProblem(0, {
      code: 'unreachable',
      message: timeout.aborted ? `The fleet server did not answer within ${patienceMs / 1000} s.` : 'The fleet server cannot be reached.',
    });
  }
  noteAnswer(response.headers.get('date'), sentAtMs, Date.now());
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function read<Schema extends TSchema>(response: Response, schema: Schema): Promise<Static<Schema>> {
  const value = await json(response);
  if (!Check(schema, value)) {
    throw new ApiProblem(response.status, {
      code: 'unexpected-answer',
      message: `The fleet server’s answer to ${new URL(response.url).pathname} has an unexpected form. Reload the page: it may be older than the server.`,
    });
  }
  return value;
}

async function problemOf(response: Response): Promise<ApiProblem> {
  const value = await json(response);
  if (Check(Problem, value)) return new ApiProblem(response.status, value);
  return new ApiProblem(response.status, {
    code: 'unexpected-answer',
    message: `The fleet server answered with status ${response.status}.`,
  });
}

async function json(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}

/** What to show of any error. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'Something went wrong.';
}

/** Worth asking again by itself: the server could not be reached or was not able to answer. */
export function isPassing(error: unknown): boolean {
  return error instanceof ApiProblem && (error.status === 0 || error.status >= 500);
}
