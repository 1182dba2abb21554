/** What rtmp2sink's errors mean, in words for people. Texts recorded with GStreamer 1.22 against nginx-rtmp. */

type Meaning = { readonly text: RegExp; readonly words: string };

const meanings: readonly Meaning[] = [
  { text: /publish denied|BadName|already (?:exists|publishing)/i, words: 'refused by the server: a stream of this name is already there' },
  { text: /'publish' cmd failed/, words: 'refused by the server: wrong stream key, or streaming is not allowed' },
  { text: /'connect' cmd failed/, words: 'refused by the server: no such application, or connecting is not allowed' },
  { text: /authenti|authori[sz]/i, words: 'refused by the server: user name or password wrong' },
  { text: /error resolving|name or service not known|name resolution/i, words: 'no such host' },
  { text: /connection refused/i, words: 'connection refused: nothing listens there' },
  { text: /network (?:is )?unreachable|no route to host|host (?:is )?unreachable/i, words: 'the network does not reach the server' },
  { text: /timed out/i, words: 'no answer from the server' },
  {
    text: /certificate/i,
    words: 'untrusted certificate: the server’s is not signed by an authority known here, is out of date or bears another name',
  },
  { text: /TLS/i, words: 'no secure connection: the server does not speak TLS there' },
  { text: /short read|handshake|protocol/i, words: 'the server does not speak RTMP' },
  { text: /host is not set|invalid|scheme/i, words: 'expected an address rtmp://host[:port]/application' },
  { text: /connection (?:closed|error|reset)|closed remotely|reset by peer|broken pipe/i, words: 'closed by the server' },
];

/** The text itself is never shown: it may quote the address, and the key is part of that. */
export function rtmpErrorWords(message: string): string {
  return meanings.find(({ text }) => text.test(message))?.words ?? 'the connection failed for an unknown reason';
}

/** The same for a stream without a name: where the server refused its name, that is what is missing. */
export function namelessErrorWords(words: string, keySetting: string): string {
  return /^refused by the server: (?:wrong stream key|a stream of this name)/.test(words) ? `${words}; ${keySetting} is empty` : words;
}

const awayWords: readonly string[] = meanings
  .map(({ words }) => words)
  .filter((words) => /^(?:no such host|connection refused|the network does not reach|no answer)/.test(words));

/** The server was not there at all: whether it takes connections again can be asked without bothering it with a stream. */
export function isAway(words: string): boolean {
  return awayWords.includes(words);
}

/** It was there and said no, which the return of a network does not change. */
export function isRefusal(words: string): boolean {
  return /^(?:refused by the server|untrusted certificate|expected an address)/.test(words);
}

export const stalledWords = 'stalled: the server takes nothing';
export const noAnswerWords = 'no answer from the server';
