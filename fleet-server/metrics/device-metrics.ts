/** The health of each device for Prometheus. Pure. */
import { conditionsOf } from '#fleet-server/devices/device-view.ts';
import type { LiveDevice } from '#fleet-server/devices/live-device.ts';
import type { Metric } from '#fleet-server/metrics/prometheus.ts';

/** Each device is a dozen series: what is more is counted and left out. */
export const maxDevices = 2000;

type Named = { readonly id: string; readonly name: string; readonly groupName: string | null };
type Figure = readonly [name: string, help: string, of: (device: LiveDevice) => number | null | undefined];

const figures: readonly Figure[] = [
  ['online', '1 while the device is connected.', ({ presence }) => Number(presence.state === 'online')],
  ['live', '1 while the relay receives its camera.', ({ stream }) => Number(stream.kind === 'live')],
  ['frames_per_second', 'Frames a second, as it encodes them.', (device) => device.figures?.framesPerSecond],
  ['video_bitrate_kbps', 'Video in kbit/s, as it encodes it.', (device) => device.figures?.videoBitrateKbps],
  ['received_bitrate_kbps', 'What the relay receives, in kbit/s.', ({ reception }) => reception?.bitrateKbps],
  ['viewers', 'Players at the relay.', ({ reception }) => reception?.viewers],
  ['temperature_celsius', 'Of the board.', ({ board }) => board?.temperatureC],
  ['load_average_1m', 'Of the board.', ({ board }) => board?.loadAverage1m],
  ['memory_available_bytes', 'Of the board.', ({ board }) => board?.memoryAvailableBytes],
  ['disk_free_bytes', 'Of the board.', ({ board }) => board?.diskFreeBytes],
  ['conditions', 'Conditions that hold now.', (device) => conditionsOf(device).length],
];

/** Figures of a device that is away are of before: only that it is away is said. */
export function deviceMetrics(devices: readonly LiveDevice[], names: readonly Named[]): readonly Metric[] {
  const shown = devices.toSorted((a, b) => (a.id < b.id ? -1 : 1)).slice(0, maxDevices);
  const nameOf = new Map(names.map((named) => [named.id, named]));
  const info = shown.map(({ id }) => {
    const named = nameOf.get(id);
    return { labels: { device: id, name: named?.name ?? '', group: named?.groupName ?? '' }, value: 1 };
  });
  return [
    { name: 'makespacelive_device_info', help: 'Name and group of a device.', type: 'gauge', samples: info },
    {
      name: 'makespacelive_device_left_out',
      help: `Devices beyond the first ${maxDevices}, which are not in these figures.`,
      type: 'gauge',
      samples: [{ value: devices.length - shown.length }],
    },
    ...figures.map(
      ([name, help, of]): Metric => ({
        name: `makespacelive_device_${name}`,
        help,
        type: 'gauge',
        samples: shown.flatMap((device) => {
          const value = name === 'online' || name === 'live' || device.presence.state === 'online' ? of(device) : null;
          return value === null || value === undefined ? [] : [{ labels: { device: device.id }, value }];
        }),
      }),
    ),
  ];
}
