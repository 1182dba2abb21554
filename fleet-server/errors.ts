/**
 * Every error that the fleet server knows, with its HTTP status. An error without a code from this table cannot exist:
 * whatever else is thrown is a bug and is answered as `internal`, with nothing of its text.
 */
import type { Problem } from '#protocol/model/problem.ts';

export const errorStatuses = {
  'bad-request': 400,
  'wrong-fields': 400,
  'settings-refused': 400,
  'not-json': 415,
  'body-too-large': 413,
  'not-signed-in': 401,
  'credential-refused': 401,
  'sign-in-refused': 401,
  'device-blocked': 401,
  'join-token-refused': 403,
  'board-blocked': 403,
  'not-allowed': 403,
  'foreign-origin': 403,
  'not-found': 404,
  'device-not-found': 404,
  'command-not-found': 404,
  'no-preview': 404,
  'no-snapshot': 404,
  'method-not-allowed': 405,
  'already-there': 409,
  'already-sent': 409,
  'last-admin': 409,
  'changed-since': 409,
  'nothing-to-undo': 409,
  'not-kept': 409,
  'under-way': 409,
  'not-waiting': 409,
  'too-many': 429,
  internal: 500,
  'store-damaged': 500,
  'not-told': 502,
  'relay-down': 503,
  'broker-unavailable': 503,
  'store-busy': 503,
  'store-unavailable': 503,
  'dashboard-not-built': 503,
  'not-ready': 503,
  'too-busy': 503,
  'store-full': 507,
} as const satisfies Record<string, number>;

export type ErrorCode = keyof typeof errorStatuses;
export type FieldProblem = NonNullable<Problem['problems']>[number];

export class FleetError extends Error {
  override readonly name = 'FleetError';
  readonly code: ErrorCode;
  readonly problems: readonly FieldProblem[];
  /** When it is worth the while to try again. */
  readonly retryAfterS: number | undefined;

  /** `message`: what was expected, what came, what to do; it is shown to the caller, so it never holds a secret. */
  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly problems?: readonly FieldProblem[]; readonly retryAfterS?: number } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.problems = options.problems ?? [];
    this.retryAfterS = options.retryAfterS;
  }

  get status(): number {
    return errorStatuses[this.code];
  }
}

export function toProblem(error: FleetError): Problem {
  const problem: Problem = { code: error.code, message: error.message };
  return error.problems.length === 0 ? problem : { ...problem, problems: [...error.problems] };
}

export function deviceNotFound(deviceId: string): FleetError {
  return new FleetError('device-not-found', `Expected the id of a device of this fleet, got ${JSON.stringify(deviceId.slice(0, 60))}.`);
}
