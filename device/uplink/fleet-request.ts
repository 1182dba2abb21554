/** One request to a fleet server. Node's own HTTP client: `fetch` would cost the agent some 10 MB. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';

const timeoutMs = 15_000;
const maxAnswerBytes = 16 * 1024;

type PostOptions = { readonly signal: AbortSignal; readonly ca?: string };

/** Rejects when there is no answer. */
export function post(address: string, content: string, { signal, ...trust }: PostOptions): Promise<{ status: number; text: string }> {
  const send = address.startsWith('https:') ? httpsRequest : httpRequest;
  const headers = { 'content-type': 'application/json', accept: 'application/json', 'content-length': Buffer.byteLength(content) };
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  return new Promise((resolve, reject) => {
    const sent = send(address, { method: 'POST', headers, agent: false, signal: bounded, ...trust });
    sent.once('error', reject);
    sent.once('response', (response) => {
      readText(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
    });
    sent.end(content);
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.byteLength;
    if (bytes > maxAnswerBytes) throw new Error(`expected at most ${maxAnswerBytes} bytes, got more`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Something that is no fleet server answered: the caller says so without quoting it.
    return undefined;
  }
}
