/** A scenario, and what it is given. */

export type Scenario = {
  readonly name: string;
  /** As a sentence of what is so when it passes. */
  readonly title: string;
  /** In the emulated machine's own time, which does not hurry when others work on the machine outside. */
  readonly boundMs: number;
  readonly run: (laboratory: Laboratory) => Promise<void>;
};

export type Laboratory = {
  /** Empty, and gone afterwards. */
  readonly folder: string;
  /** For what a person wants to read after a failure. */
  readonly logFile: (name: string) => string;
  /** Ends the scenario as failed unless it is right. */
  readonly check: (what: string, isRight: boolean, came?: unknown) => void;
  readonly figure: (what: string, value: number, unit: string, aim?: string) => void;
  /** Undone in reverse order when the scenario is over, however it ends. */
  readonly undoLater: (undo: () => unknown) => void;
};

/** The scenario cannot be played here; no fault. */
export class ScenarioSkipped extends Error {}
