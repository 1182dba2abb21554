/**
 * Keeps the clients and roles of mosquitto's dynamic security in step with the devices of this fleet.
 *
 * INVARIANTS
 * - This server knows a credential only while a device shows it: a client that mosquitto has lost is made again when its device, refused
 *   by the broker, shows its credential here (connection-routes.ts). Nothing is kept for that.
 * - mosquitto holds one password a client. It is exchanged when the device shows the new one: until then the former lets it in.
 * - A device's role is what this server's version allows, also when it was made by another version.
 * - Everything may be said twice, and by several servers at once.
 */
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { BrokerAddress } from '#fleet-server/broker/external/broker-address.ts';
import { type Answer, ControlChannel } from '#fleet-server/broker/external/control-channel.ts';
import type { DeviceAccess } from '#fleet-server/broker/external/device-access.ts';
import {
  admission,
  correction,
  type DynamicSecurityCommand,
  deviceOfRole,
  deviceRole,
  groundwork,
  interruption,
  revocation,
  serverRole,
} from '#fleet-server/broker/external/dynamic-security-plan.ts';
import type { Clock } from '#fleet-server/clock.ts';
import { FleetError } from '#fleet-server/errors.ts';
import type { Log } from '#fleet-server/log.ts';

const pageSize = 500;
/** At most so many pages: half a million clients. */
const maxPages = 1000;
/** Roles that are looked at with one question. */
const rolesAtOnce = 50;
const syncAgainMs = 30_000;

const ClientData = Type.Object({
  client: Type.Object({
    textdescription: Type.Optional(Type.String()),
    clientid: Type.Optional(Type.String()),
    disabled: Type.Optional(Type.Boolean()),
    roles: Type.Optional(Type.Array(Type.Object({ rolename: Type.String() }))),
  }),
});
const clientData = Compile(ClientData);
const rolesData = Compile(Type.Object({ totalCount: Type.Integer(), roles: Type.Array(Type.String()) }));
const heldAcl = Type.Object({ acltype: Type.String(), topic: Type.String(), allow: Type.Boolean() });
const roleData = Compile(Type.Object({ role: Type.Object({ acls: Type.Array(heldAcl) }) }));

export type DynamicSecurityOptions = {
  /** Where the broker is, as a client that may administer dynamic security. */
  readonly control: BrokerAddress;
  /** As whom the servers hear devices. */
  readonly server: Pick<BrokerAddress, 'username' | 'password'>;
  readonly caFile: string | null;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** And not shut out. By the store: another server may have let it join, or have shut it out, a moment ago. */
  isKnown(deviceId: string): Promise<boolean>;
  /** A keyed hash of the credential of a client: what mosquitto keeps beside it, so that it need not be told again. */
  markOf(username: string, credential: string): string;
};

export class DynamicSecurity implements DeviceAccess {
  readonly #options: DynamicSecurityOptions;
  readonly #channel: ControlChannel;
  #problem: string | null = 'The roles of the MQTT broker have not been looked at yet.';
  #cancelAgain: () => void = () => undefined;
  #isStopped = false;

  constructor(options: DynamicSecurityOptions) {
    const { control, caFile, clock, random, log } = options;
    this.#options = options;
    this.#channel = new ControlChannel({ address: control, caFile, clock, random, log, onOpen: () => this.#syncSoon() });
  }

  start(): void {
    this.#channel.start();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelAgain();
    await this.#channel.stop();
  }

  problem(): string | null {
    return this.#channel.problem() ?? this.#problem;
  }

  async admit(deviceId: string, credential: string): Promise<void> {
    const mark = this.#options.markOf(deviceId, credential);
    const [clientAnswer, roleAnswer] = await this.#channel.ask([
      { command: 'getClient', username: deviceId },
      { command: 'getRole', rolename: deviceRole(deviceId) },
    ]);
    const found = clientOf(clientAnswer);
    const hasRole = roleAnswer?.error === undefined;
    // Told again, it would cut the connection that the device may have by now.
    if (hasRole && found?.textdescription === mark && found.clientid === deviceId && found.disabled !== true) return;
    await this.#tell(admission(deviceId, credential, mark, { hasRole, hasClient: clientAnswer?.error === undefined }));
    // Shut out meanwhile, perhaps by another server: its revocation may have come before this. The device hears why when it asks again.
    if (!(await this.#options.isKnown(deviceId))) await this.revoke(deviceId);
  }

  async revoke(deviceId: string): Promise<void> {
    try {
      await this.#tell(revocation(deviceId));
    } catch (err) {
      this.#options.log.warn(
        { err, deviceId },
        'a removed device could not be taken from the MQTT broker; done when the broker answers again',
      );
      this.#syncLater();
    }
  }

  async cut(deviceId: string): Promise<void> {
    try {
      await this.#tell(interruption(deviceId));
    } catch (err) {
      this.#options.log.warn({ err, deviceId }, 'a device that sends too much could not be cut at the MQTT broker');
    }
  }

  #syncSoon(): void {
    this.#sync().catch((err: unknown) => {
      const reason = err instanceof Error ? err.message : String(err);
      this.#problem = `The roles of the MQTT broker could not be set: ${reason}`;
      this.#options.log.warn({ err }, 'the roles of the MQTT broker could not be set; trying again');
      this.#syncLater();
    });
  }

  #syncLater(): void {
    this.#cancelAgain();
    if (this.#isStopped) return;
    this.#cancelAgain = this.#options.clock.after(syncAgainMs, () => this.#syncSoon());
  }

  /** The ground, and away with what belongs to devices that were removed while nobody could tell the broker. */
  async #sync(): Promise<void> {
    const { server, isKnown, log, markOf } = this.#options;
    const roles = await this.#listRoles();
    const [answer] = await this.#channel.ask([{ command: 'getClient', username: server.username }]);
    const found = clientOf(answer);
    const client =
      found === undefined ? null : { mark: found.textdescription ?? '', roles: (found.roles ?? []).map(({ rolename }) => rolename) };
    const mark = markOf(server.username, server.password);
    await this.#tell(groundwork({ ...server, mark }, { client, hasRole: roles.includes(serverRole) }));
    const known: string[] = [];
    const removed: string[] = [];
    for (const deviceId of roles.flatMap((name) => deviceOfRole(name) ?? [])) {
      if (await isKnown(deviceId)) known.push(deviceId);
      else {
        await this.#tell(revocation(deviceId));
        removed.push(deviceId);
      }
    }
    if (removed.length > 0) log.info({ devices: removed.length }, 'devices that were removed are no clients of the MQTT broker any more');
    // Of a large fleet the rest takes minutes, and everybody is heard meanwhile.
    this.#problem = null;
    await this.#correctRoles(known);
  }

  async #correctRoles(deviceIds: readonly string[]): Promise<void> {
    let corrected = 0;
    for (let first = 0; first < deviceIds.length; first += rolesAtOnce) {
      const some = deviceIds.slice(first, first + rolesAtOnce);
      const answers = await this.#channel.ask(some.map((deviceId) => ({ command: 'getRole', rolename: deviceRole(deviceId) })));
      for (const [index, deviceId] of some.entries()) {
        const data = answers[index]?.data;
        // It was removed a moment ago.
        if (!roleData.Check(data)) continue;
        const commands = correction(deviceId, data.role.acls);
        if (commands.length === 0) continue;
        await this.#tell(commands);
        corrected += 1;
      }
    }
    if (corrected > 0) this.#options.log.info({ devices: corrected }, 'the roles of devices at the MQTT broker are those of this version');
  }

  async #listRoles(): Promise<string[]> {
    const all: string[] = [];
    for (let page = 0; page < maxPages; page += 1) {
      const [answer] = await this.#channel.ask([{ command: 'listRoles', count: pageSize, offset: page * pageSize }]);
      if (answer?.error !== undefined) throw refused(answer);
      if (!rolesData.Check(answer?.data))
        throw new FleetError('broker-unavailable', 'The MQTT broker answers listRoles with something unknown.');
      const { totalCount, roles } = answer.data;
      all.push(...roles);
      if (roles.length === 0 || all.length >= totalCount) break;
    }
    return all;
  }

  /** What is there already, or gone already, is no fault: another server was quicker. */
  async #tell(commands: readonly DynamicSecurityCommand[]): Promise<void> {
    const wrong = (await this.#channel.ask(commands)).find(({ error }) => error !== undefined && !/already exists|not found/i.test(error));
    if (wrong !== undefined) throw refused(wrong);
  }
}

function clientOf(answer: Answer | undefined): Static<typeof ClientData>['client'] | undefined {
  return answer !== undefined && answer.error === undefined && clientData.Check(answer.data) ? answer.data.client : undefined;
}

function refused({ command, error }: Answer): FleetError {
  return new FleetError('broker-unavailable', `The MQTT broker refuses ${command}: ${error ?? 'without a reason'}.`);
}
