/** Who takes part in a run, and what each was promised. */
import type { Link } from './link.ts';
import type { SimulatedAgent } from './simulated-agent.ts';

/** A setting at one level, as somebody set it. */
export type Promised = {
  readonly level: 'fleet' | 'group' | 'device';
  readonly scope: string;
  readonly key: string;
  /** The value that an answer acknowledged last. */
  acknowledged: number | string | null;
  /** Of changes that nobody was answered since. */
  unanswered: (number | string)[];
  isUnderWay: boolean;
};

export type Member = {
  readonly id: string;
  readonly agent: SimulatedAgent;
  readonly joinedAtMs: number;
  /** Its newest connection. */
  link: Link | null;
  isUnreachable: boolean;
  /** Its link comes and goes. */
  isFlapping: boolean;
  isDiskRefusing: boolean;
  /** Of its last turn from refusing to taking. */
  diskFreeSinceMs: number;
  /** The highest revision that the server has shown as applied. */
  shownRevision: number;
};

/** The agent’s journals are written again so soon after the disk takes something again. */
const diskWrittenAgainMs = 6000;

/** A power cut while the disk refuses loses what could not be written: that is known, and not what is looked for. */
export function isAllOnDisk({ isDiskRefusing, diskFreeSinceMs }: Member, nowMs: number): boolean {
  return !isDiskRefusing && nowMs - diskFreeSinceMs > diskWrittenAgainMs;
}

export function promised(level: Promised['level'], scope: string, key: string): Promised {
  return { level, scope, key, acknowledged: null, unanswered: [], isUnderWay: false };
}

/** Each of these may be what is in force. */
export function possibleValues({ acknowledged, unanswered }: Promised): (number | string | null)[] {
  return [acknowledged, ...unanswered];
}
