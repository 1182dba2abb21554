/** What an Icecast server's answers and the network's errors mean, in words for people. Recorded with Icecast 2.4.4. */

/** The status line's code, and the body, which tells refusals of one code apart. */
export function icecastRefusalWords(status: number, body: string): string {
  if (status === 401) return 'refused by the server: user name or password wrong';
  if (status === 403 && /in use/i.test(body)) return 'refused by the server: the mount is in use';
  if (status === 403 && /too many/i.test(body)) return 'refused by the server: it takes no more sources';
  if (status === 403 || status === 404) return 'refused by the server: this mount or this kind of sound is not allowed';
  return `refused by the server: it answered ${status}`;
}

export const notIcecastWords = 'the server does not speak Icecast';

const byCode = new Map<string, string>([
  ['ENOTFOUND', 'no such host'],
  ['EAI_AGAIN', 'no such host'],
  ['ECONNREFUSED', 'connection refused: nothing listens there'],
  ['ENETUNREACH', 'the network does not reach the server'],
  ['EHOSTUNREACH', 'the network does not reach the server'],
  ['ETIMEDOUT', 'no answer from the server'],
]);

/** The error itself is never shown: nothing of the address is to stand in it. */
export function networkErrorWords(code: string | undefined): string {
  return byCode.get(code ?? '') ?? 'closed by the server';
}
