/** What GStreamer says of a microphone that gives no sound, in words that tell what to do about it. Pure. */

const longestRest = 160;

/** The texts are those of GStreamer's alsasrc, and ALSA's own words for the system's errors in them. */
const faults: readonly (readonly [RegExp, string])[] = [
  [/used by another application|resource busy|is busy/i, 'another program uses it'],
  [/permission denied|not permitted/i, 'this user may not open it: it has to be in the group audio'],
  [/disconnected|no such (?:file|device)|device has been removed/i, 'it is not there any more'],
  [
    /\d ?Hz not available|rate doesn't match|not-negotiated|no configurations available|hw ?params/i,
    'it does not give sound at the wanted rate: look at AV_AUDIO_SAMPLING_RATE',
  ],
  [/sample format not available|channels count/i, 'it gives sound in a form that cannot be used here'],
];

export function describeMicrophoneFault(said: string): string {
  return faults.find(([pattern]) => pattern.test(said))?.[1] ?? said.slice(0, longestRest);
}
