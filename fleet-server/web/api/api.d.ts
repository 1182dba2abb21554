/**
 * The one door to the fleet server. Every answer is checked against the protocol's schema; whatever is not a success is
 * thrown as an ApiProblem.
 */
import type { Static, TSchema } from 'typebox';
import { Problem } from '#protocol/model/problem.ts';
export type FieldProblem = NonNullable<Problem['problems']>[number];
export declare class ApiProblem extends Error {
    readonly name = "ApiProblem";
    /** HTTP status; 0 when there was no answer at all. */
    readonly status: number;
    readonly code: string;
    readonly problems: readonly FieldProblem[];
    constructor(status: number, problem: Problem);
}
export declare function pathOf(...parts: readonly string[]): string;
export declare function get<Schema extends TSchema>(path: string, schema: Schema, signal?: AbortSignal): Promise<Static<Schema>>;
export declare function send<Schema extends TSchema>(method: 'POST' | 'PATCH', path: string, body: unknown, schema: Schema): Promise<Static<Schema>>;
export declare function remove(path: string): Promise<void>;
/** What to show of any error. */
export declare function messageOf(error: unknown): string;
/** Worth asking again by itself: the server could not be reached or was not able to answer. */
export declare function isPassing(error: unknown): boolean;
