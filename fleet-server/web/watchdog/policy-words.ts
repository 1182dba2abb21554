/** The watchdog's policy in plain words. Pure. */
import type {
  WatchdogCommand,
  WatchdogFault,
  WatchdogPolicy,
  WatchdogPolicyAnswer,
  WatchdogPolicyList,
  WatchdogResponse,
} from '#protocol/model/watchdog.ts';
import type { PaceField } from './policy-draft.ts';

type OwnPolicy = WatchdogPolicyList['groups'][number];
type Words = { readonly title: string; readonly words: string };

export const faultWords: { readonly [Fault in WatchdogFault]: Words } = {
  'pipeline-failed': { title: 'Pipeline failed', words: 'The device itself says that it has no picture to send.' },
  'stream-not-arriving': { title: 'Stream does not arrive', words: 'The device says that it streams, and the relay receives nothing.' },
  'picture-frozen': { title: 'Picture stands still', words: 'A camera that hangs, or slides: one restart tells which.' },
  'picture-black': { title: 'Picture black', words: 'Most often a lens cap or a dark room, which no restart mends.' },
  'audio-silent': { title: 'No sound', words: 'Most often a mute switch or a cable, which no restart mends.' },
};

export const responseTitles: { readonly [Response in WatchdogResponse]: string } = {
  escalate: 'Escalate',
  once: 'Once',
  tell: 'Only tell',
  ignore: 'Ignore',
};

export const stepWords: { readonly [Command in WatchdogCommand]: Words } = {
  'restart-pipeline': { title: 'Restart the pipeline', words: 'Picture and sound begin anew; a moment is lost.' },
  'restart-media-host': { title: 'Restart the media host', words: 'The program that captures and sends is replaced.' },
  'restart-agent': { title: 'Restart the agent', words: 'The whole software of the device begins anew.' },
  reboot: { title: 'Restart the board', words: 'Only where the device’s own environment allows it (AV_ALLOW_REBOOT=1).' },
};

export const paceWords: { readonly [Field in PaceField]: Words } = {
  firstPauseS: { title: 'First pause, in seconds', words: 'From one attempt to the next. It is doubled each time.' },
  maxPauseS: { title: 'Longest pause, in seconds', words: 'It grows no further than this.' },
  forgiveAfterS: {
    title: 'Forgiven after, in seconds',
    words: 'So long without a fault, and the next one begins with the first step again.',
  },
  maxAnHour: {
    title: 'Restarts an hour in all',
    words: 'Of all steps together, for each device. Beyond it the watchdog only tells. 0: it restarts nothing.',
  },
};

/** Seconds, and minutes where they are whole. */
export function secondsWords(seconds: number): string {
  return seconds >= 120 && seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

export function responseSentence({ response, holdS }: WatchdogPolicy['faults'][WatchdogFault]): string {
  const after = `After ${secondsWords(holdS)}`;
  switch (response) {
    case 'escalate':
      return `${after}: one step after the other, until it is over.`;
    case 'once':
      return `${after}: the first step, once. If it is still there, or comes back within the hour, it is only told.`;
    case 'tell':
      return `${after}: an entry in the device’s history, and no restart.`;
    case 'ignore':
      return 'The watchdog does nothing and says nothing. Alerts about it come all the same.';
    default:
      return response satisfies never;
  }
}

export function stepSentence({ attempts, maxAnHour }: Omit<WatchdogPolicy['steps'][number], 'command'>, isLast: boolean): string {
  if (maxAnHour === 0) return 'Never taken: its bound an hour is 0.';
  const often = attempts === 1 ? 'Once' : `${attempts} times`;
  return `${isLast ? 'Again and again' : `${often}, then the next step`}; at most ${maxAnHour} an hour.`;
}

/** "10 s, 20 s, 40 s, then 60 s each time". */
export function pausesSentence({ firstPauseS, maxPauseS }: WatchdogPolicy): string {
  const shorter: number[] = [];
  // Doubled from 5 s at least to 3600 s at most: ten of them.
  for (let pauseS = firstPauseS; pauseS < maxPauseS; pauseS *= 2) shorter.push(pauseS);
  const longest = `${secondsWords(maxPauseS)} each time`;
  return shorter.length === 0 ? `Pauses: ${longest}.` : `Pauses: ${shorter.map(secondsWords).join(', ')}, then ${longest}.`;
}

export function hourSentence({ maxAnHour, steps }: WatchdogPolicy): string {
  if (maxAnHour === 0 || steps.every((step) => step.maxAnHour === 0)) return 'The watchdog restarts nothing; it only tells.';
  return `At most ${maxAnHour} ${maxAnHour === 1 ? 'restart' : 'restarts'} of a device within an hour; then the watchdog waits, and says so in its history.`;
}

export const waitsSentence =
  'It waits for 15 s after a device connected, and after each restart until the pause is over. A fault that comes and goes counts as well.';

export function forgiveSentence({ forgiveAfterS }: WatchdogPolicy): string {
  return `After ${secondsWords(forgiveAfterS)} without a fault the next one begins with the first step again.`;
}

/** `group` null: what is looked at is the fleet's. `day` writes a time. */
export function originWords(
  { level, changedAt, changedBy }: WatchdogPolicyAnswer,
  group: string | null,
  day: (at: string) => string,
): Words {
  const by = changedAt === null || changedBy === null ? '' : `set by ${changedBy} on ${day(changedAt)}`;
  if (level === 'group') return { title: 'The group’s own', words: `For ${group ?? 'the group'}, ${by}.` };
  if (level === 'fleet') {
    return group === null
      ? { title: 'The fleet’s own', words: `For every device whose group has no policy of its own, ${by}.` }
      : { title: 'The fleet’s', words: `${group} has no policy of its own: the fleet’s counts, ${by}.` };
  }
  const nobody = group === null ? 'Nobody has set a policy for the fleet' : `Nobody has set a policy for ${group} or for the fleet`;
  return { title: 'As delivered', words: `${nobody}: this is what the watchdog comes with.` };
}

/** `day` writes a time. */
export function ownPolicyWords({ deviceCount, changedAt, changedBy, isAsFleet }: OwnPolicy, day: (at: string) => string): string {
  const devices = deviceCount === 1 ? '1 device' : `${deviceCount === 0 ? 'no' : deviceCount} devices`;
  return `${devices}, set by ${changedBy} on ${day(changedAt)}${isAsFleet ? ', says the same as the fleet’s' : ''}`;
}
