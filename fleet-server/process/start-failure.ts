/** Why the fleet server could not start, as one line that says what to do. Pure. */
import type { Configuration } from '#fleet-server/configuration.ts';
import { FleetError } from '#fleet-server/errors.ts';
import { exitCodes } from '#fleet-server/process/exit-codes.ts';

export type StartFailure = { readonly line: string; readonly exitCode: number };

type Ports = Pick<Configuration, 'httpPort' | 'mqttPort' | 'rtmpPort'>;

const codesOfStore: readonly string[] = ['store-full', 'store-busy', 'store-unavailable', 'store-damaged'];

export function describeStartFailure(error: unknown, ports: Ports): StartFailure {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const port = error instanceof Error && 'port' in error ? error.port : undefined;
  const variable = variableOf(port, ports);
  if (code === 'EADDRINUSE' && variable !== undefined) {
    return {
      line: `Port ${String(port)} is in use by another program: stop that one, or set ${variable} to a free port.`,
      exitCode: exitCodes.unavailable,
    };
  }
  if (code === 'EACCES' && variable !== undefined) {
    return {
      line: `Port ${String(port)} may only be opened by root: set ${variable} to a port from 1024 on.`,
      exitCode: exitCodes.unavailable,
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  const isStore = error instanceof FleetError && codesOfStore.includes(error.code);
  return { line: `The fleet server cannot start: ${message}`, exitCode: isStore ? exitCodes.store : exitCodes.failed };
}

function variableOf(port: unknown, ports: Ports): string | undefined {
  if (port === ports.httpPort) return 'FLEET_HTTP_PORT';
  if (port === ports.mqttPort) return 'FLEET_MQTT_PORT';
  if (port === ports.rtmpPort) return 'FLEET_RTMP_PORT';
  return undefined;
}
