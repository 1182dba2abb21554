/** The fleet server: does it answer, is it one, can its MQTT be reached, and does this device belong to it. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import WebSocket from 'ws';
import { type Check, fail, pass, warn } from '#device/doctor/check.ts';
import { errorText } from '#device/state/state-directory.ts';

const timeoutMs = 10_000;
const maxAnswerBytes = 64 * 1024;

export type FleetSubject = { readonly url: string; readonly hasJoined: boolean; readonly hasToken: boolean };

export async function checkFleet(subject: FleetSubject): Promise<readonly Check[]> {
  const { url } = subject;
  const http = await checkHttp(url);
  const checks = [http, checkMembership(subject)];
  return http.state === 'fail' ? checks : [...checks, await checkMqtt(url)];
}

async function checkHttp(url: string): Promise<Check> {
  try {
    const [health, api] = await Promise.all([get(`${url}/healthz`), get(`${url}/api/openapi.json`)]);
    if (health.status !== 200 || !health.text.includes('"ok"')) {
      return fail(
        'fleet server',
        `${url} answers with status ${health.status}, not as a fleet server does`,
        'Look at FLEET_URL: host, port and path.',
      );
    }
    const version = /"version"\s*:\s*"([^"]{1,40})"/.exec(api.text)?.[1] ?? 'unknown';
    return pass('fleet server', `${url} answers, version ${version} of its API`);
  } catch (cause) {
    const reason = errorText(cause);
    return fail(
      'fleet server',
      `${url}: ${words[reason] ?? reason}`,
      'Look at FLEET_URL and the network. The stream itself needs no fleet server.',
    );
  }
}

const words: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'no name server answers',
  ECONNREFUSED: 'connection refused: nothing listens there',
  EHOSTUNREACH: 'the network does not reach it',
  ENETUNREACH: 'the network does not reach it',
  ETIMEDOUT: 'no answer',
  CERT_HAS_EXPIRED: 'its certificate is out of date: look at the clock of this device as well',
  'The operation was aborted due to timeout': 'no answer',
};

function checkMembership({ hasJoined, hasToken }: FleetSubject): Check {
  if (hasJoined) return pass('membership', 'this device has joined');
  if (hasToken) return warn('membership', 'this device has not joined yet', 'The agent joins when it runs, with FLEET_JOIN_TOKEN.');
  return fail(
    'membership',
    'this device has not joined and has no join token',
    'Make one (npm run join-token on the server) and set FLEET_JOIN_TOKEN.',
  );
}

/** MQTT runs over WebSocket at the same port. Only the handshake is tried: a sign-in would end the agent's own connection. */
function checkMqtt(url: string): Promise<Check> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/mqtt`, 'mqtt', { handshakeTimeout: timeoutMs, followRedirects: false });
    socket.once('open', () => {
      socket.terminate();
      resolve(pass('mqtt', `${url}/mqtt takes WebSockets`));
    });
    socket.once('error', (cause) => {
      socket.terminate();
      resolve(fail('mqtt', `${url}/mqtt: ${errorText(cause)}`, 'A proxy in between must pass WebSocket upgrades at /mqtt.'));
    });
  });
}

function get(address: string): Promise<{ readonly status: number; readonly text: string }> {
  const send = address.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const sent = send(address, { agent: false, signal: AbortSignal.timeout(timeoutMs) });
    sent.once('error', reject);
    sent.once('response', (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        // What comes later is not needed: the version stands at the beginning.
        bytes += chunk.byteLength;
        if (bytes <= maxAnswerBytes) chunks.push(chunk);
      });
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }));
    });
    sent.end();
  });
}
