/**
 * What the list of devices looks at, of each device one flat row that is drawn anew only when the device has changed: reading it all from
 * the devices themselves for each answer took 60 ms of 10 000 devices, most of it for finding them in memory.
 */
import { conditionsOf } from '#fleet-server/devices/device-view.ts';
import type { LiveDevice } from '#fleet-server/devices/live-device.ts';
import { urgency } from '#fleet-server/devices/urgency.ts';
import { conditionDefinitions, isConditionCode } from '#protocol/conditions.ts';
import type { StreamState } from '#protocol/model/device.ts';

/** `tags`: as the store keeps them. */
export type ListedDevice = { readonly name: string; readonly tags: string; readonly live: LiveDevice };

/** Replaced as a whole when its device has changed; null: it has no such figure now. */
export type ListRow = {
  readonly id: string;
  readonly name: string;
  readonly tags: string;
  readonly live: LiveDevice;
  readonly group: string | null;
  readonly isBlocked: boolean;
  readonly state: StreamState['kind'];
  /** As far as settings say nothing to it. */
  readonly urgency: number;
  readonly stateSinceMs: number;
  readonly heardAtMs: number | null;
  readonly bitrateKbps: number | null;
  readonly temperatureC: number | null;
  readonly waitingSinceMs: number | null;
};

export class ListRows {
  #devices: readonly ListedDevice[] = [];
  #rows: ListRow[] = [];
  /** Of rows that were searched. */
  readonly #texts = new WeakMap<ListRow, string>();

  /** In the same order. What is answered is good until the next call. */
  of(devices: readonly ListedDevice[]): readonly ListRow[] {
    if (this.#devices !== devices) {
      const known = new Map(this.#rows.map((row) => [row.id, row]));
      this.#rows = devices.map((device) => known.get(device.live.id) ?? rowOf(device));
      this.#devices = devices;
    }
    const rows = this.#rows;
    for (const [index, device] of devices.entries()) {
      const row = rows[index];
      if (row?.live !== device.live || row.tags !== device.tags || row.name !== device.name) rows[index] = rowOf(device);
    }
    return rows;
  }

  /** What is looked through for words, in small letters. */
  textOf(row: ListRow): string {
    const known = this.#texts.get(row);
    if (known !== undefined) return known;
    const made = searchedText(row);
    this.#texts.set(row, made);
    return made;
  }
}

function rowOf({ name, tags, live }: ListedDevice): ListRow {
  return {
    id: live.id,
    name,
    tags,
    live,
    group: live.group,
    isBlocked: live.blockedSinceMs !== null,
    state: live.stream.kind,
    urgency: urgency(live.stream.kind, conditionsOf(live)),
    stateSinceMs: Date.parse(live.stream.since),
    heardAtMs: live.heardAtMs,
    bitrateKbps: live.reception?.bitrateKbps ?? null,
    temperatureC: live.presence.state === 'online' ? (live.board?.temperatureC ?? null) : null,
    waitingSinceMs: live.waitingSinceMs,
  };
}

/** Name, id, group, tags, board, camera, state and conditions. */
function searchedText({ id, name, tags, live }: ListRow): string {
  return [
    name,
    id,
    live.group ?? '',
    tags,
    live.report?.boardName ?? '',
    live.report?.source?.label ?? '',
    live.stream.kind.replaceAll('-', ' '),
    ...conditionsOf(live).map(({ code }) => (isConditionCode(code) ? conditionDefinitions[code].title : code)),
  ]
    .join('\n')
    .toLowerCase();
}
