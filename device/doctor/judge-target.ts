/** What became of a stream that was tried for two seconds, and what to do about it. Pure. */
import { type Check, fail, pass } from '#device/doctor/check.ts';
import type { OutputState } from '#protocol/media.ts';

type Cause = { readonly words: RegExp; readonly advice: string };

/** By the words in which the media host tells of a failed connection. */
const causes: readonly Cause[] = [
  {
    words: /no such host/,
    advice: 'Look for a mistake in the address; the check of names (dns) says whether names can be looked up at all.',
  },
  {
    words: /connection refused/,
    advice: 'The machine is there and no server listens at this port: look at the port, and start the server.',
  },
  {
    words: /KEY(?:_\d)? is empty/,
    advice: 'Set the key that the server gave out for this stream; some servers take a stream without one, this one did not.',
  },
  {
    words: /expected an address/,
    advice: 'Nothing was sent: the address names no application of the server, such as live in rtmp://host/live.',
  },
  {
    words: /stream of this name is already there/,
    advice: 'Somebody streams with this key already: another device, or a connection that has not ended.',
  },
  { words: /wrong stream key/, advice: 'The server is there and does not take this key: copy it again from where it was given out.' },
  { words: /mount is in use/, advice: 'Somebody sends to this mount already: another device, or a connection that has not ended.' },
  { words: /this mount or this kind/, advice: 'Look at the mount, the last part of the address, and at what the server allows.' },
  { words: /takes no more sources/, advice: 'The server has as many sources as it allows: its limits say how many.' },
  { words: /no such application/, advice: 'The last part of the address (live, app …) is not what the server expects.' },
  { words: /user name or password/, advice: 'Look at the user name and password in the address.' },
  { words: /does not reach/, advice: 'There is no way to this network: look at the cable or the Wi-Fi, and at the address.' },
  {
    words: /no answer|stalled/,
    advice: 'A firewall may swallow it (outgoing port 1935 for RTMP): ask the people of the network, or try another one.',
  },
  {
    words: /does not speak (?:RTMP|Icecast)|TLS/,
    advice: 'Something else listens at this port: look at the port, and at rtmp:// against rtmps://.',
  },
  { words: /certificate/, advice: 'Look at the host’s name in the address and at the clock of this device.' },
];

export function judgeTarget(subject: string, target: string, state: OutputState, heldMs: number): Check {
  switch (state.kind) {
    case 'streaming':
      return pass(subject, `${target}: took ${(heldMs / 1000).toFixed(0)} s of a test picture`);
    case 'waiting':
      return fail(subject, `${target}: ${state.lastError}`, adviceFor(state.lastError));
    case 'connecting':
      return fail(subject, `${target}: ${state.lastError ?? 'no answer from the server'}`, adviceFor(state.lastError ?? 'no answer'));
    case 'stopped':
      return fail(subject, `${target}: the stream did not start`, 'Run it again; if it goes on, the log of the agent says more.');
    default:
      return state satisfies never;
  }
}

/** What a running agent says of the same target. */
export function judgeRunningTarget(subject: string, target: string, state: OutputState): Check {
  if (state.kind === 'streaming') return pass(subject, `${target}: the agent streams to it since ${state.since}`);
  if ('lastError' in state && state.lastError !== undefined) {
    return fail(subject, `${target}: ${state.lastError} (says the agent)`, adviceFor(state.lastError));
  }
  return fail(subject, `${target}: ${state.kind} (says the agent)`, 'Run it again in a few seconds.');
}

function adviceFor(reason: string): string {
  return causes.find(({ words }) => words.test(reason))?.advice ?? 'Look at the address and at the server’s log.';
}
