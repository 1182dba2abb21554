/** The whole API on a real store in a folder of its own; only the wire to devices and the relay are stand-ins that remember. */
import { argon2Sync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { registerApi } from '#fleet-server/api.ts';
import type { DeviceBroker } from '#fleet-server/broker/contract.ts';
// What each plugin decorates the app with.
import type {} from '#fleet-server/changes/plugin.ts';
import { timestamp } from '#fleet-server/clock.ts';
import type {} from '#fleet-server/commands/plugin.ts';
import type { ExternalBrokerConfiguration } from '#fleet-server/configuration.ts';
import type {} from '#fleet-server/devices/plugin.ts';
import { routeUpward } from '#fleet-server/devices/upward-router.ts';
import type {} from '#fleet-server/health/plugin.ts';
import type {} from '#fleet-server/history/plugin.ts';
import { createServer } from '#fleet-server/http/server.ts';
import type {} from '#fleet-server/logs/plugin.ts';
import { Histogram } from '#fleet-server/metrics/histogram.ts';
import { insertPerson } from '#fleet-server/people/people-store.ts';
import type {} from '#fleet-server/people/plugin.ts';
import { writePolicy } from '#fleet-server/people/write-allowance.ts';
import type {} from '#fleet-server/settings/plugin.ts';
import type {} from '#fleet-server/store/plugin.ts';
import { openSecrets } from '#fleet-server/store/secrets.ts';
import { keyPath, type Store } from '#fleet-server/store/store.ts';
import type { DownwardName, UpwardBody, UpwardName } from '#protocol/envelope.ts';
import type { Desired } from '#protocol/messages.ts';
import { type ManualClock, manualClock, settle, settleWith, settleWithout } from './manual-clock.ts';
import { standInRelay } from './stand-in-relay.ts';
import { giveBackStore, openMigratedStore } from './store/migrated-store.ts';

export { bodies, someDigest } from './bodies.ts';

export type Published = { readonly deviceId: string; readonly name: DownwardName; readonly body: unknown };
export type Joined = { readonly deviceId: string; readonly credential: string };
export type DeviceVoice = {
  readonly id: string;
  connect(): void;
  disconnect(reason?: string): void;
  /** The session's counter of the messages that follow. */
  newSession(bootId?: string): void;
  say<N extends UpwardName>(name: N, body: UpwardBody<N>, options?: { readonly sequence?: number }): Promise<void>;
};

export type ApiUnderTest = {
  readonly app: FastifyInstance;
  readonly clock: ManualClock;
  readonly directory: string;
  readonly published: Published[];
  readonly logText: () => string;
  readonly adminPassword: string;
  store(): Store;
  request(options: InjectOptions & { readonly as?: string | null }): Promise<LightMyRequestResponse>;
  signIn(name: string, password: string): Promise<string>;
  addPerson(name: string, role: 'viewer' | 'operator' | 'admin'): Promise<string>;
  join(options?: { readonly name?: string; readonly group?: string }): Promise<Joined>;
  voice(deviceId: string): DeviceVoice;
  lastDesired(deviceId: string): Desired | undefined;
  /** Ends it and leaves its directory for the next `startApi`. */
  stop(): Promise<void>;
  close(): Promise<void>;
};

export const adminPassword = 'correct horse battery';

/** Of the lowest cost that there is: a hash says what it costs, and hundreds of tests sign in whose subject is something else. */
const cheapHash = ((): string => {
  const nonce = Buffer.alloc(16);
  const tag = argon2Sync('argon2id', { message: adminPassword, nonce, parallelism: 1, tagLength: 32, memory: 8, passes: 1 });
  const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=8,t=1,p=1$${base64(nonce)}$${base64(tag)}`;
})();

export type ApiOptions = {
  readonly directory?: string;
  readonly clock?: ManualClock;
  readonly externalBroker?: ExternalBrokerConfiguration;
  /** As with a server that is told nothing, unless given. */
  readonly writesPerMinute?: number;
};

export async function startApi(options: ApiOptions = {}): Promise<ApiUnderTest> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'msl-api-')));
  const clock = options.clock ?? manualClock();
  const secrets = openSecrets(keyPath(directory));
  const store = await openMigratedStore(directory);
  settleWith(store);
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const app = createServer({ logger: { level: 'trace', stream }, checkAnswers: true });
  const published: Published[] = [];
  const connected = new Set<string>();
  app.decorate('broker', standInBroker(published, connected));
  app.decorate('relay', standInRelay());
  await registerApi(app, {
    configuration: {
      publicUrl: null,
      rtmpPort: 1935,
      publicRtmpPort: 1935,
      databaseUrl: null,
      serverUrl: 'http://localhost',
      tls: null,
      externalBroker: options.externalBroker ?? null,
      writesPerMinute: options.writesPerMinute ?? writePolicy.perMinute,
    },
    store,
    secrets,
    clock,
  });
  await app.ready();
  await insertPerson(store.database, { name: 'admin', role: 'admin', passwordHash: cheapHash, createdAtMs: clock.nowMs() });

  const signIn = async (name: string, password: string): Promise<string> => {
    const response = await app.inject({ method: 'POST', url: '/api/v1/session', payload: { name, password } });
    const [cookie] = [response.headers['set-cookie']].flat();
    if (response.statusCode !== 200 || cookie === undefined) throw new Error(`sign-in failed: ${response.body}`);
    return cookie.split(';', 1)[0] ?? '';
  };
  let adminCookie: string | undefined;
  const request: ApiUnderTest['request'] = async ({ as, ...rest }) => {
    adminCookie ??= await signIn('admin', adminPassword);
    const cookie = as === undefined ? adminCookie : as;
    return app.inject({ ...rest, headers: { ...rest.headers, ...(cookie === null ? {} : { cookie }) } });
  };
  let isOpen = true;
  const end = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await app.close();
    await settle();
    settleWithout(store);
    await store.close();
  };
  return {
    app,
    clock,
    directory,
    published,
    adminPassword,
    logText: () => lines.join(''),
    store: () => store,
    request,
    signIn,
    addPerson: async (name, role) => {
      await insertPerson(store.database, { name, role, passwordHash: cheapHash, createdAtMs: 0 });
      return signIn(name, adminPassword);
    },
    join: async ({ name = 'pi', group } = {}) => {
      const made = await request({ method: 'POST', url: '/api/v1/join-tokens', payload: group === undefined ? {} : { group } });
      const { token } = made.json<{ token: string }>();
      const joined = await app.inject({ method: 'POST', url: '/api/v1/enrolments', payload: { joinToken: token, name } });
      return joined.json<Joined>();
    },
    voice: (deviceId) => {
      let session = { bootId: 'boot-1', counter: 1 };
      let sequence = 0;
      return {
        id: deviceId,
        connect: () => {
          connected.add(deviceId);
          app.devices.onConnection(deviceId, 'connected', 'accepted');
        },
        disconnect: (reason = 'connection-lost') => {
          connected.delete(deviceId);
          app.devices.onConnection(deviceId, 'disconnected', reason);
        },
        newSession: (bootId = session.bootId) => {
          session = { bootId, counter: session.counter + 1 };
          sequence = 0;
        },
        say: async (name, body, given) => {
          sequence += 1;
          const envelope = { v: 1, session, sequence: given?.sequence ?? sequence, sentAt: timestamp(clock.nowMs()), body };
          await routeUpward(app, { deviceId, name, envelope } as unknown as Parameters<typeof routeUpward>[1]);
          await settle();
        },
      };
    },
    lastDesired: (deviceId) =>
      published.findLast((entry) => entry.deviceId === deviceId && entry.name === 'desired')?.body as Desired | undefined,
    stop: end,
    close: async () => {
      await end();
      await giveBackStore(directory);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function standInBroker(published: Published[], connected: Set<string>): DeviceBroker {
  return {
    publish: async (deviceId, name, body) => {
      if (!connected.has(deviceId)) return 'offline';
      published.push({ deviceId, name, body });
      return 'sent';
    },
    disconnect: (deviceId) => void connected.delete(deviceId),
    isConnected: (deviceId) => connected.has(deviceId),
    isShared: false,
    admit: async () => {},
    deviceUrl: null,
    problem: () => null,
    figures: () => ({
      connections: connected.size,
      messagesReceived: 0,
      messagesSent: published.length,
      problems: 0,
      ingest: new Histogram().figures(),
    }),
  };
}
