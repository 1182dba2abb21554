/** Runs the fleet server until it is told to stop. */
import type { FastifyInstance } from 'fastify';
import { buildApp } from '#fleet-server/app.ts';
import { systemClock } from '#fleet-server/clock.ts';
import type { Configuration } from '#fleet-server/configuration.ts';
import type { FleetError } from '#fleet-server/errors.ts';
import { exitCodes } from '#fleet-server/process/exit-codes.ts';
import { answerParent, type Ready, tellParent } from '#fleet-server/process/parent.ts';
import { type ServiceManager, serviceManagerOf } from '#fleet-server/process/service-manager.ts';
import { describeStartFailure } from '#fleet-server/process/start-failure.ts';
import { openConfigured } from '#fleet-server/process/with-store.ts';
import { SchemaWatch } from '#fleet-server/store/schema-watch.ts';
import type { Store } from '#fleet-server/store/store.ts';
import { readTls } from '#fleet-server/tls/certificate.ts';
import { TlsKeeper } from '#fleet-server/tls/tls-keeper.ts';

/** Stopping takes no longer than this, whatever hangs. */
const stopMs = 4500;
/** A few of these pass until settings are in force on a device, and nobody sees them. */
const gatherMs = 20;

export async function serve(configuration: Configuration): Promise<void> {
  const tls = openTls(configuration);
  if (tls === undefined) return;
  let store: Store | undefined;
  let app: FastifyInstance | undefined;
  let watch: SchemaWatch | undefined;
  const service = serviceManagerOf(process.env, process.pid, systemClock);
  const stop = async (): Promise<void> => {
    watch?.stop();
    await service?.stopping();
    await app?.close();
    await store?.close();
  };
  try {
    const opened = await openConfigured(configuration, {
      gatherMs,
      onLost: (cause) => app?.log.warn({ err: cause }, 'a connection to the database was lost; another one is opened'),
      onCheckpointsLost: (cause) =>
        app?.log.warn({ err: cause }, 'SQLite’s journal is brought into its file by the server itself from now on'),
    });
    store = opened.store;
    app = await buildApp({ configuration, ...opened, tls, logger: { level: configuration.logLevel } });
    stopOnSignals(stop);
    watch = new SchemaWatch({ database: store.database, clock: systemClock, onNewer: (error) => endAsOutdated(error, stop) });
    watch.start();
    await app.listen({ host: configuration.httpHost, port: configuration.httpPort });
    // Last: a password that is made in a start that fails would be seen by nobody.
    const firstAdminPassword = await app.people.ensureFirstPerson(configuration.adminPassword);
    announce(app, configuration, firstAdminPassword, service);
  } catch (error) {
    const { line, exitCode } = describeStartFailure(error, configuration);
    process.stderr.write(`${line}\n`);
    exitAfter(stop, exitCode);
  }
}

/** Undefined, and the process ends with the reason, when what is configured cannot be served. */
function openTls({ tls }: Configuration): TlsKeeper | null | undefined {
  if (tls === null) return null;
  const read = readTls(tls, systemClock.nowMs());
  if (read.kind === 'material') return new TlsKeeper(tls, read.material, systemClock);
  process.stderr.write(`The configuration is wrong; nothing was started.\n${read.line}\n`);
  process.exitCode = exitCodes.configuration;
  process.disconnect?.();
  return undefined;
}

function announce(
  app: FastifyInstance,
  configuration: Configuration,
  firstAdminPassword: string | null,
  service: ServiceManager | null,
): void {
  const address = app.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : configuration.httpPort;
  const isEverywhere = configuration.httpHost === '0.0.0.0' || configuration.httpHost === '::';
  const host = isEverywhere ? 'localhost' : configuration.httpHost.includes(':') ? `[${configuration.httpHost}]` : configuration.httpHost;
  // A certificate names the server as it is known outside.
  const url = configuration.tls === null ? `http://${host}:${port}` : (configuration.publicUrl ?? `https://${host}:${port}`);
  const ready: Ready = {
    kind: 'ready',
    url,
    rtmpUrl: `rtmp://${host}:${app.relay.port}/${app.relay.application}`,
    ...(firstAdminPassword === null ? {} : { firstAdminPassword }),
  };
  const hasParent = tellParent(ready);
  answerParent({
    playback: (deviceId) => app.relay.playback(deviceId, new URL(url).host, configuration.tls === null ? 'http' : 'https'),
    isKnown: (deviceId) => app.devices.isKnown(deviceId),
  });
  if (hasParent) return;
  process.stdout.write(`The dashboard is at ${url}\n`);
  service?.ready(`The dashboard is at ${url}`);
  if (firstAdminPassword === null) return;
  // What a service writes stands in the journal, which others read.
  if (service !== null)
    process.stdout.write('Nobody can sign in yet: "makespacelive admin-password" makes a password for admin and prints it.\n');
  else process.stdout.write(`Sign in as admin with the password ${firstAdminPassword} (shown only here)\n`);
}

/** Whoever supervises it starts it again: the program that is there by then fits, or says why not. */
function endAsOutdated({ message }: FleetError, stop: () => Promise<void>): void {
  process.stderr.write(`The fleet server ends: ${message}\n`);
  exitAfter(stop, exitCodes.store);
}

function stopOnSignals(stop: () => Promise<void>): void {
  let isStopping = false;
  const once = (): void => {
    if (isStopping) return;
    isStopping = true;
    exitAfter(stop, exitCodes.ok);
  };
  process.on('SIGTERM', once);
  process.on('SIGINT', once);
  process.on('disconnect', once);
}

function exitAfter(stop: () => Promise<void>, exitCode: number): void {
  setTimeout(() => {
    process.stderr.write('Stopping took too long: ending now.\n');
    process.exit(exitCode === exitCodes.ok ? exitCodes.failed : exitCode);
  }, stopMs).unref();
  stop().then(
    () => process.exit(exitCode),
    (error: unknown) => {
      process.stderr.write(`Stopping failed: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(exitCode === exitCodes.ok ? exitCodes.failed : exitCode);
    },
  );
}
