/** What the machine tells, a line of JSON each. */
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';

const Name = Type.String({ maxLength: 60 });
const Text = Type.String({ maxLength: 2000 });

const Ready = Type.Object({ kind: Type.Literal('ready'), kernel: Text });
const ScenarioBegan = Type.Object({ kind: Type.Literal('scenario-began'), scenario: Name });
const Check = Type.Object({ kind: Type.Literal('check'), scenario: Name, what: Text, isRight: Type.Boolean(), came: Type.Optional(Text) });
const Figure = Type.Object(
  {
    kind: Type.Literal('figure'),
    scenario: Name,
    what: Text,
    value: Type.Number(),
    unit: Type.String({ maxLength: 20 }),
    aim: Type.Optional(Text),
  },
  {
    description:
      'A measured value. The aim is for the reader: another machine than the emulated one has other values, so it decides nothing.',
  },
);
const ScenarioEnded = Type.Object({
  kind: Type.Literal('scenario-ended'),
  scenario: Name,
  outcome: Type.Enum(['passed', 'failed', 'skipped']),
  reason: Type.Optional(Text),
  tookMs: Type.Number(),
});
const Finished = Type.Object({ kind: Type.Literal('finished') });

export const ReportLine = Type.Union([Ready, ScenarioBegan, Check, Figure, ScenarioEnded, Finished]);
export type ReportLine = Static<typeof ReportLine>;

const validator = Compile(ReportLine);

/** Undefined for what is none of ours: a serial port may carry anything. */
export function parseReportLine(line: string): ReportLine | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return validator.Check(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
