/** `app.deviceList`: which devices match, for whoever lists them or asks something of them all. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Clock } from '#fleet-server/clock.ts';
import { type ListPage, type ListRequest, listDevices, matchingIds } from '#fleet-server/devices/device-list.ts';
import { idsWithSettingsTrouble } from '#fleet-server/devices/devices-store.ts';
import { ListRows } from '#fleet-server/devices/list-rows.ts';
import type { DeviceMatch } from '#protocol/model/device.ts';

export type DeviceList = {
  page(request: Omit<ListRequest, 'textOf' | 'settingsTrouble'>): Promise<ListPage>;
  idsMatching(match: DeviceMatch): readonly string[];
};

declare module 'fastify' {
  interface FastifyInstance {
    deviceList: DeviceList;
  }
}

/** A look through all rows of the table, for an order that can be as old. */
const troubleKeptMs = 2000;

async function deviceList(app: FastifyInstance, { clock }: { readonly clock: Clock }): Promise<void> {
  const rows = new ListRows();
  let trouble: { readonly untilMs: number; readonly ids: ReadonlySet<string> } = { untilMs: 0, ids: new Set() };
  const settingsTrouble = async (): Promise<ReadonlySet<string>> => {
    const nowMs = clock.monotonicMs();
    if (nowMs >= trouble.untilMs)
      trouble = { untilMs: nowMs + troubleKeptMs, ids: new Set(await idsWithSettingsTrouble(app.store.database)) };
    return trouble.ids;
  };
  const now = () => rows.of(app.devices.knownByName());
  const textOf: ListRequest['textOf'] = (row) => rows.textOf(row);
  app.decorate('deviceList', {
    page: async (request) => {
      const needed = request.order.sort === 'urgency' ? await settingsTrouble() : new Set<string>();
      return listDevices(now(), { ...request, textOf, settingsTrouble: needed });
    },
    idsMatching: (match) => matchingIds(now(), match, textOf),
  });
}

export const deviceListPlugin = fastifyPlugin(deviceList, { name: 'device-list', dependencies: ['store', 'devices'] });
