/** The parts of the watchdog's policy: each says what it does, and may be changed by whoever may. */
import { NativeSelect, Switch, TextInput } from '@mantine/core';
import { Check } from 'typebox/value';
import { WatchdogResponse, watchdogCommands, watchdogFaults } from '#protocol/model/watchdog.ts';
import { checkPolicy, type FaultDraft, type PolicyDraft, type PolicyProblems, paceFields, type StepDraft } from './policy-draft.ts';
import {
  faultWords,
  forgiveSentence,
  hourSentence,
  paceWords,
  pausesSentence,
  responseSentence,
  responseTitles,
  stepSentence,
  stepWords,
  waitsSentence,
} from './policy-words.ts';
import classes from './watchdog.module.css';

export type PolicyPartProps = {
  readonly draft: PolicyDraft;
  readonly problems: PolicyProblems;
  /** Null: who looks may not change it. */
  readonly onChange: ((draft: PolicyDraft) => void) | null;
};

const responses = Object.entries(responseTitles).map(([value, label]) => ({ value, label }));

export function FaultsPart({ draft, problems, onChange }: PolicyPartProps) {
  return (
    <section className="panel" aria-labelledby="watchdog-faults">
      <h2 id="watchdog-faults" className={classes['title']}>
        What counts as a fault
      </h2>
      <p className={classes['lead']}>The first of these that a device has is the one that is answered.</p>
      <ul className={classes['list']}>
        {watchdogFaults.map((fault) => {
          const { response, holdS } = draft.faults[fault];
          const change = (part: Partial<FaultDraft>): void =>
            onChange?.({ ...draft, faults: { ...draft.faults, [fault]: { ...draft.faults[fault], ...part } } });
          return (
            <li key={fault} className={classes['row']} data-testid="watchdog-fault" data-fault={fault}>
              <div>
                <h3>{faultWords[fault].title}</h3>
                <p className={classes['words']}>{faultWords[fault].words}</p>
                {problems[`${fault}/holdS`] === undefined && (
                  <p className={classes['sentence']}>{responseSentence({ response, holdS: Number(holdS) })}</p>
                )}
              </div>
              {onChange !== null && (
                <div className={classes['controls']}>
                  <NativeSelect
                    label="Response"
                    aria-label={`Response to: ${faultWords[fault].title}`}
                    data={responses}
                    value={response}
                    onChange={({ currentTarget: { value } }) => Check(WatchdogResponse, value) && change({ response: value })}
                  />
                  <TextInput
                    label="Hold, in seconds"
                    aria-label={`Hold in seconds of: ${faultWords[fault].title}`}
                    inputMode="numeric"
                    maxLength={6}
                    value={holdS}
                    error={problems[`${fault}/holdS`]}
                    onChange={(event) => change({ holdS: event.currentTarget.value.trim() })}
                  />
                </div>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

export function StepsPart({ draft, problems, onChange }: PolicyPartProps) {
  const taken = watchdogCommands.filter((command) => draft.steps[command].isTaken);
  const shown = onChange === null ? taken : watchdogCommands;
  return (
    <section className="panel" aria-labelledby="watchdog-steps">
      <h2 id="watchdog-steps" className={classes['title']}>
        Steps, the gentlest first
      </h2>
      <p className={classes['lead']}>
        A step that is at its bound, or that the device does not know or allow, is passed over: the strongest gentler one is taken instead.
      </p>
      {problems.steps !== undefined && (
        <p className={classes['problem']} role="alert">
          {problems.steps}
        </p>
      )}
      <ol className={classes['list']}>
        {shown.map((command) => {
          const step = draft.steps[command];
          const place = taken.indexOf(command);
          const isRight = problems[`${command}/attempts`] === undefined && problems[`${command}/maxAnHour`] === undefined;
          const change = (part: Partial<StepDraft>): void =>
            onChange?.({ ...draft, steps: { ...draft.steps, [command]: { ...step, ...part } } });
          return (
            <li key={command} className={classes['row']} data-testid="watchdog-step" data-step={command} data-taken={step.isTaken}>
              <div className={classes['step']}>
                <span className={classes['number']} aria-hidden>
                  {step.isTaken ? place + 1 : '–'}
                </span>
                <div>
                  <h3>{stepWords[command].title}</h3>
                  <p className={classes['words']}>{stepWords[command].words}</p>
                  {step.isTaken && isRight && (
                    <p className={classes['sentence']}>
                      {stepSentence({ attempts: Number(step.attempts), maxAnHour: Number(step.maxAnHour) }, place === taken.length - 1)}
                    </p>
                  )}
                  {!step.isTaken && <p className={classes['sentence']}>Left out.</p>}
                  {onChange !== null && (
                    <Switch
                      mt={8}
                      size="sm"
                      label="Take this step"
                      aria-label={`Take the step: ${stepWords[command].title}`}
                      checked={step.isTaken}
                      onChange={(event) => change({ isTaken: event.currentTarget.checked })}
                    />
                  )}
                </div>
              </div>
              {onChange !== null && step.isTaken && (
                <div className={classes['controls']}>
                  <TextInput
                    label="Attempts"
                    aria-label={`Attempts of: ${stepWords[command].title}`}
                    inputMode="numeric"
                    maxLength={6}
                    value={step.attempts}
                    error={problems[`${command}/attempts`]}
                    onChange={(event) => change({ attempts: event.currentTarget.value.trim() })}
                  />
                  <TextInput
                    label="At most an hour"
                    aria-label={`At most an hour of: ${stepWords[command].title}`}
                    inputMode="numeric"
                    maxLength={6}
                    value={step.maxAnHour}
                    error={problems[`${command}/maxAnHour`]}
                    onChange={(event) => change({ maxAnHour: event.currentTarget.value.trim() })}
                  />
                </div>
              )}
            </li>
          );
        })}
      </ol>
    </section>
  );
}

export function PacePart({ draft, problems, onChange }: PolicyPartProps) {
  const checked = checkPolicy(draft);
  return (
    <section className="panel" aria-labelledby="watchdog-pace">
      <h2 id="watchdog-pace" className={classes['title']}>
        How often
      </h2>
      {onChange !== null && (
        <div className={classes['pace']}>
          {paceFields.map((field) => (
            <TextInput
              key={field}
              label={paceWords[field].title}
              description={paceWords[field].words}
              inputWrapperOrder={['label', 'input', 'error', 'description']}
              inputMode="numeric"
              maxLength={6}
              value={draft.pace[field]}
              error={problems[field]}
              onChange={(event) => onChange({ ...draft, pace: { ...draft.pace, [field]: event.currentTarget.value.trim() } })}
            />
          ))}
        </div>
      )}
      {checked.kind === 'policy' && (
        <ul className={classes['sentences']}>
          <li>{pausesSentence(checked.policy)}</li>
          <li>{forgiveSentence(checked.policy)}</li>
          <li>{waitsSentence}</li>
          <li>{hourSentence(checked.policy)}</li>
        </ul>
      )}
    </section>
  );
}
