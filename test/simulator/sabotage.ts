/**
 * Faults of the product itself, made on purpose: what a run looks for must be able to fail. Each breaks one promise, in the place where the
 * product keeps it.
 */
export const sabotages = {
  'event acknowledged before it is stored': /were lost/,
  'event stored each time it comes': /once/,
  'command forgotten by the device': /was begun \d+ times/,
  'setting answered before it is stored': /to hold/,
  'older settings after a power cut': /only to grow/,
  'closed connection not noticed': /shown as gone/,
  'silent connection not noticed': /not to be shown as online/,
  'gone at once after a restart of the server': /unknown until its keepalive/,
  'connection not shown': /to be shown as online/,
  'credential logged': /no secret/,
  'secret stored as it is': /no secret/,
  'newest settings not sent': /at revision/,
  'any device taken as confirmed': /to count as steady/,
  'roll-out goes on past its threshold': /to halt when/,
  'roll-out not looked after': /roll-out .* to end/,
  'roll-out taken back in words only': /of what was rolled out/,
  'watchdog asleep': /expected a restart of/,
  'watchdog heeds no bound': /an hour, this is one more/,
  'restart without an entry': /once in its history|expected a restart of/,
  'watchdog heeds no window': /to do nothing to .* in its maintenance window/,
  'alerts heed no window': /nothing to be told of .* in its maintenance window/,
  'watchdog asleep after a window': /expected a restart of/,
  'window never over': /expected a restart of|expected an alert of|to be over/,
  'window forgotten': /acknowledged maintenance window/,
  'restart asked for twice': /once in its history/,
  'alerts asleep': /expected an alert of/,
  'alert never over': /expected no alert of|to be over/,
  'alarm at once after a restart': /no false alarm/,
  'notice thrown away': /to be told of it/,
  'recovery not told': /its end to be told/,
  'notice told again': /told again after/,
  'relay taken as running': /an alert of the relay/,
  'relay told of by each device': /devices have theirs/,
  'one board taken for two': /expected one board of/,
  'second board not noticed': /to be noticed/,
  'recovery told at once': /told after its end/,
} as const satisfies Record<string, RegExp>;

export type Sabotage = keyof typeof sabotages;
