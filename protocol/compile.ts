/**
 * Every schema of the device and of the protocol is compiled here, under a name of its own. In the agent's bundle this module
 * and TypeBox are replaced: the checks are written out when the bundle is made, so that the device carries neither schemas nor
 * compiler (setup/bundle/written-checks.ts).
 */
import type { Static, TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';

export type Check<T = unknown> = {
  Check(value: unknown): value is T;
  /** What was expected, field by field; never a value. Slow: for what has failed. */
  Errors(value: unknown): readonly { readonly instancePath: string; readonly message: string }[];
};

/** What has been compiled so far: as many as there are calls in the program's modules. */
export const compiled: { readonly name: string; readonly validator: Validator }[] = [];

/** To be called while a module loads, never later: the bundle knows only what it has seen then. */
export function compile<S extends TSchema>(name: string, schema: S): Check<Static<S>> {
  const validator: Validator = Compile(schema);
  compiled.push({ name, validator });
  return {
    Check: (value): value is Static<S> => validator.Check(value),
    Errors: (value) => validator.Errors(value),
  };
}
