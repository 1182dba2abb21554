/** The fleet server: does it answer, is it one, can its MQTT be reached, and does this device belong to it. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import WebSocket from 'ws';
import { type Check, fail, pass, warn } from '#device/doctor/check.ts';
import { errorText } from '#device/state/state-directory.ts';
import { requestConnection } from '#device/uplink/connection-request.ts';
import { type Credentials, joinAgainAdvice } from '#device/uplink/credentials.ts';
import { fleetTrust, type ReadTrust } from '#device/uplink/fleet-trust.ts';

const timeoutMs = 10_000;
const maxAnswerBytes = 64 * 1024;

export type FleetSubject = {
  readonly url: string;
  /** Null: it has not joined. */
  readonly credentials: Credentials | null;
  readonly hasToken: boolean;
  /** Why it is no longer known who this device is; null: it is, or never was. */
  readonly loss?: string | null;
  readonly caFile?: string | null;
};

export async function checkFleet(subject: FleetSubject): Promise<readonly Check[]> {
  const { url, credentials } = subject;
  const trust = fleetTrust(subject.caFile ?? null);
  const [http, membership] = await Promise.all([
    checkHttp(url, trust),
    credentials === null ? judgeStranger(subject) : checkMembership(credentials, trust),
  ]);
  const checks = [http, membership];
  return http.state === 'fail' ? checks : [...checks, await checkMqtt(credentials?.mqttUrl ?? null, url, trust)];
}

async function checkHttp(url: string, trust: ReadTrust): Promise<Check> {
  try {
    const [health, api] = await Promise.all([get(`${url}/healthz`, trust), get(`${url}/api/openapi.json`, trust)]);
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
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of an authority that is not known here: name that one in FLEET_CA_FILE',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is of an authority that is not known here: name that one in FLEET_CA_FILE',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is of an authority that is not known here: name that one in FLEET_CA_FILE',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  CERT_HAS_EXPIRED: 'its certificate is out of date: look at the clock of this device as well',
  'The operation was aborted due to timeout': 'no answer',
};

/** Whether the fleet server knows this device still: it may have been removed there, and nothing here tells of it. */
async function checkMembership({ fleetUrl, deviceId, credential, former }: Credentials, trust: ReadTrust): Promise<Check> {
  const ask = (shown: string) => requestConnection(fleetUrl, deviceId, { credential: shown }, AbortSignal.timeout(timeoutMs), trust);
  // The former one first: shown the new one, the server forgets the former, with which the agent may be connected.
  let outcome = await ask(former ?? credential);
  if (outcome.kind === 'refused' && former !== undefined) outcome = await ask(credential);
  if (outcome.kind === 'located') return pass('membership', 'this device has joined, and the fleet server lets it in');
  if (outcome.kind === 'refused') {
    return fail(
      'membership',
      'the fleet server does not let this device in: it was removed or blocked there, or the server is another one',
      `Let it in on its page where it is blocked. Else remove credentials.json from the state directory. ${joinAgainAdvice}`,
    );
  }
  const detail = `this device has joined; whether its fleet server knows it is not said: ${outcome.reason}`;
  return warn('membership', detail, 'Run this again when the fleet server answers.');
}

function judgeStranger({ hasToken, loss = null }: FleetSubject): Check {
  if (hasToken) return warn('membership', 'this device has not joined yet', 'The agent joins when it runs, with FLEET_JOIN_TOKEN.');
  if (loss !== null) return fail('membership', `the fleet does not hear of this device: ${loss}`, joinAgainAdvice);
  return fail(
    'membership',
    'this device has not joined and has no join token',
    'Make one (npm run join-token on the server) and set FLEET_JOIN_TOKEN.',
  );
}

function checkMqtt(mqttUrl: string | null, url: string, trust: ReadTrust): Promise<Check> {
  if (mqttUrl === null) return checkWebSocket(`${url.replace(/^http/, 'ws')}/mqtt`, trust);
  return /^wss?:/.test(mqttUrl) ? checkWebSocket(mqttUrl, trust) : checkBroker(new URL(mqttUrl), trust);
}

function checkBroker({ protocol, hostname, port }: URL, trust: ReadTrust): Promise<Check> {
  const host = hostname.replace(/^\[|\]$/g, '');
  const isTls = protocol === 'mqtts:';
  const place = `the broker at ${hostname}:${port || (isTls ? 8883 : 1883)}`;
  return new Promise((resolve) => {
    const at = { host, port: Number(port || (isTls ? 8883 : 1883)), timeout: timeoutMs };
    const socket = isTls ? connectTls({ ...at, ...(isIP(host) === 0 ? { servername: host } : {}), ...trust() }) : connectTcp(at);
    const settle = (check: Check): void => {
      socket.destroy();
      resolve(check);
    };
    const advice = 'The fleet uses an MQTT broker of its own: the network must let this device reach it.';
    socket.once(isTls ? 'secureConnect' : 'connect', () => settle(pass('mqtt', `${place} takes connections`)));
    socket.once('timeout', () => settle(fail('mqtt', `${place}: no answer`, advice)));
    socket.once('error', (cause) => settle(fail('mqtt', `${place}: ${words[errorText(cause)] ?? errorText(cause)}`, advice)));
  });
}

/** MQTT runs over WebSocket at the same port. Only the handshake is tried: a sign-in would end the agent's own connection. */
function checkWebSocket(address: string, trust: ReadTrust): Promise<Check> {
  const options = { handshakeTimeout: timeoutMs, followRedirects: false, ...trust() };
  return new Promise((resolve) => {
    const socket = new WebSocket(address, 'mqtt', options);
    socket.once('open', () => {
      socket.terminate();
      resolve(pass('mqtt', `${address} takes WebSockets`));
    });
    socket.once('error', (cause) => {
      socket.terminate();
      resolve(fail('mqtt', `${address}: ${errorText(cause)}`, 'A proxy in between must pass WebSocket upgrades at /mqtt.'));
    });
  });
}

async function get(address: string, trust: ReadTrust): Promise<{ readonly status: number; readonly text: string }> {
  const send = address.startsWith('https:') ? httpsRequest : httpRequest;
  const options = { agent: false, signal: AbortSignal.timeout(timeoutMs), ...trust() } as const;
  return new Promise((resolve, reject) => {
    const sent = send(address, options);
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
