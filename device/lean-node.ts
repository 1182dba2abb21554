/**
 * How Node is kept small, for whoever starts the agent (package.json, the container, the systemd unit and `npm start` say the
 * same; a test compares them) and for the agent that starts its media host. Both programs wait most of the time. What the agent
 * runs is interpreted, never compiled, which leaves the compilers' own code on the disk (9 MB) and costs no processor time that
 * could be measured. The young heap is bounded to 1 MB per half: they make little garbage.
 */
export const leanNodeFlags: readonly string[] = ['--no-opt', '--no-maglev', '--no-sparkplug', '--max-semi-space-size=1'];

/** The media host looks at every sample of the sound, for which it has the smaller of the compilers: an eighth of the time. */
export const mediaHostNodeFlags: readonly string[] = leanNodeFlags.filter((flag) => flag !== '--no-maglev');
