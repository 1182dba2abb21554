/** Why the relay cannot start. Each message says what to do; none holds a key. */
export type RelayErrorCode = 'relay-port-in-use' | 'relay-not-installed' | 'relay-directory-unsafe' | 'relay-start-failed';

export class RelayError extends Error {
  override readonly name = 'RelayError';
  readonly code: RelayErrorCode;

  constructor(code: RelayErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}

export function relayPortInUse(port: number): RelayError {
  return new RelayError(
    'relay-port-in-use',
    `Expected TCP port ${port} to be free for the relay, but another program listens on it: stop that program, or set FLEET_RTMP_PORT to another port.`,
  );
}

export function relayNotInstalled(what: string): RelayError {
  return new RelayError(
    'relay-not-installed',
    `Expected nginx with its RTMP module, but found no ${what}: install the packages nginx and libnginx-mod-rtmp.`,
  );
}
