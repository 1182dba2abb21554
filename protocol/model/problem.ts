/** The one shape of every HTTP answer that is not a success. */
import { type Static, Type } from 'typebox';

export const FieldProblem = Type.Object({ key: Type.String(), expected: Type.String(), came: Type.String() });

export const Problem = Type.Object({
  code: Type.String({ description: 'From a closed table' }),
  message: Type.String({ description: 'What was expected, what came, what to do' }),
  problems: Type.Optional(
    Type.Array(FieldProblem, {
      description: 'Every wrong field, where the request had fields',
    }),
  ),
});
export type Problem = Static<typeof Problem>;
