/**
 * Keeps this server's register of devices in step with the other servers on the same database: who there is, from the table of
 * devices; how they are, from the live exchange.
 */
import type { Clock } from '#fleet-server/clock.ts';
import type { DeviceRegister } from '#fleet-server/devices/device-register.ts';
import { allDeviceKeys, findStoredDevice, storedDevicesWithIds } from '#fleet-server/devices/devices-store.ts';
import type { LivePart } from '#fleet-server/devices/shared-device.ts';
import type { Log } from '#fleet-server/log.ts';
import type { FleetServers } from '#fleet-server/servers/contract.ts';
import type { FleetRelays } from '#fleet-server/servers/fleet-relays.ts';
import { LiveExchange } from '#fleet-server/servers/live-exchange.ts';
import type { ServerPlace } from '#fleet-server/servers/servers-store.ts';
import type { Database } from '#fleet-server/store/schema.ts';
import type { PictureTopic } from '#protocol/envelope.ts';

/** For what no message told of. */
const compareMs = 10_000;
const absentForMs = 10_000;
const maxAbsent = 1000;
const rowsAtOnce = 500;

export type SharedDevicesOptions = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly servers: FleetServers;
  readonly register: DeviceRegister;
  readonly relays: FleetRelays;
  readonly place: ServerPlace;
  /** Ends what a device that was removed holds open at this server. */
  cut(deviceId: string): void;
};

export class SharedDevices {
  readonly #options: SharedDevicesOptions;
  readonly #exchange: LiveExchange;
  /** Devices that are being read; `isWantedAgain`: what is read now may be older than what was asked for since. */
  readonly #reading = new Map<string, { isWantedAgain: boolean; readonly ended: Promise<void> }>();
  /** Devices that were read one by one while many are read at once. */
  #readMeanwhile: Set<string> | null = null;
  /** Ids that were asked for and that the store does not know, with when that was found. */
  readonly #absent = new Map<string, number>();
  #cancelCompare: () => void = () => {};
  #comparing: Promise<void> | null = null;
  #isCompareWanted = false;
  #isStopped = false;

  constructor(options: SharedDevicesOptions) {
    this.#options = options;
    this.#exchange = new LiveExchange({ ...options, lookFor: (deviceId) => this.lookFor(deviceId) });
  }

  async start(): Promise<void> {
    const { clock, servers } = this.#options;
    servers.onTold((message) => {
      if (message.kind === 'device') this.reload(message.deviceId);
      if (message.kind === 'devices') this.#compare();
    });
    servers.onGap(() => this.#compare());
    this.#cancelCompare = clock.every(compareMs, () => this.#compare());
    await this.#exchange.start();
  }

  async stop(): Promise<void> {
    this.#cancelCompare();
    this.#isStopped = true;
    await this.#comparing;
    await this.#exchange.stop();
  }

  note(deviceId: string, part: LivePart, isClaim: boolean): void {
    this.#exchange.note(deviceId, part, isClaim);
  }

  /** Where the relay is that receives the device, when it is another server's. */
  placeOfReception(deviceId: string): ServerPlace | null {
    const serverId = this.#options.register.receivedElsewhere(deviceId);
    return serverId === null ? null : (this.#exchange.placeOf(serverId) ?? null);
  }

  /** Where players find this server's own relay: behind a load balancer it is one of several. */
  get ownPlace(): ServerPlace {
    return this.#options.place;
  }

  /** Where the device’s newest picture is, when that is another server. */
  placeOfPicture(deviceId: string, name: PictureTopic): ServerPlace | null {
    const serverId = this.#options.register.pictureElsewhere(deviceId, name);
    return serverId === null ? null : (this.#exchange.placeOf(serverId) ?? null);
  }

  /** Where the device is connected, when that is another server. */
  placeOfAgent(deviceId: string): ServerPlace | null {
    const serverId = this.#options.register.connectedElsewhere(deviceId);
    return serverId === null ? null : (this.#exchange.placeOf(serverId) ?? null);
  }

  /**
   * Whether a device that is not known here may have joined at another server a moment ago. If so the store is asked, and the device's next
   * attempt finds it known, or is refused for good.
   */
  mayHaveJoined(deviceId: string): boolean {
    if (!this.#isWorthAsking(deviceId)) return false;
    this.reload(deviceId);
    return true;
  }

  #isWorthAsking(deviceId: string): boolean {
    const { clock, register } = this.#options;
    const absentSinceMs = this.#absent.get(deviceId);
    if (register.isKnown(deviceId) || (absentSinceMs !== undefined && clock.monotonicMs() - absentSinceMs < absentForMs)) return false;
    // At the end again, so that the oldest is the first.
    this.#absent.delete(deviceId);
    this.#absent.set(deviceId, clock.monotonicMs());
    const oldest = this.#absent.keys().next();
    if (this.#absent.size > maxAbsent && oldest.done !== true) this.#absent.delete(oldest.value);
    return true;
  }

  /** The same for whoever can wait for the store's answer. */
  async lookFor(deviceId: string): Promise<void> {
    if (this.#options.register.isKnown(deviceId)) return;
    await (this.#isWorthAsking(deviceId) ? this.#reload(deviceId) : this.#reading.get(deviceId)?.ended);
  }

  /** Reads again what the store says of a device. */
  reload(deviceId: string): void {
    this.#reload(deviceId).catch((err: unknown) => {
      this.#options.log.error({ err, deviceId }, 'a device that was changed at another fleet server could not be read');
    });
  }

  /** One at a time of a device: of two answers that overtake each other the older one would stay. */
  #reload(deviceId: string): Promise<void> {
    this.#readMeanwhile?.add(deviceId);
    const running = this.#reading.get(deviceId);
    if (running !== undefined) {
      running.isWantedAgain = true;
      return running.ended;
    }
    const ended = this.#readUntilNewest(deviceId).finally(() => this.#reading.delete(deviceId));
    this.#reading.set(deviceId, { isWantedAgain: false, ended });
    return ended;
  }

  async #readUntilNewest(deviceId: string): Promise<void> {
    const { database, register, cut } = this.#options;
    for (;;) {
      const stored = await findStoredDevice(database, deviceId);
      if (stored !== undefined) {
        register.update(stored);
      } else if (register.isKnown(deviceId)) {
        register.remove(deviceId);
        cut(deviceId);
      }
      const running = this.#reading.get(deviceId);
      if (running?.isWantedAgain !== true) return;
      running.isWantedAgain = false;
    }
  }

  /** One at a time; what is asked for meanwhile is done once more after it. */
  #compare(): void {
    if (this.#isStopped) return;
    if (this.#comparing !== null) {
      this.#isCompareWanted = true;
      return;
    }
    this.#comparing = this.#compareAll()
      .catch((err: unknown) => this.#options.log.error({ err }, 'the devices could not be compared with those in the store'))
      .finally(() => {
        this.#comparing = null;
        if (!this.#isCompareWanted) return;
        this.#isCompareWanted = false;
        this.#compare();
      });
  }

  async #compareAll(): Promise<void> {
    const { database, register } = this.#options;
    const stored = await allDeviceKeys(database);
    const ids = new Set(stored.map(({ id }) => id));
    const changed = stored.filter((keys) => !register.isAsStored(keys)).map(({ id }) => id);
    const removed = [...register.list()].map(({ id }) => id).filter((id) => !ids.has(id));
    for (let start = 0; start < changed.length; start += rowsAtOnce) {
      const meanwhile = new Set<string>();
      this.#readMeanwhile = meanwhile;
      const some = await storedDevicesWithIds(database, changed.slice(start, start + rowsAtOnce)).finally(() => {
        this.#readMeanwhile = null;
      });
      for (const device of some) register.update(device);
      // These may have been newer than what has just taken their place.
      for (const { id } of some) if (meanwhile.has(id)) await this.#reload(id);
    }
    for (const deviceId of removed) await this.#reload(deviceId);
  }
}
