/** Figures with their units, as they stand on the page. Pure. */

/** Stands where a figure is not known. */
export const unknown = '–';

export function bitrateWords(kbps: number | null | undefined): string {
  if (kbps === null || kbps === undefined) return unknown;
  return kbps >= 1000 ? `${(kbps / 1000).toFixed(kbps >= 10_000 ? 1 : 2)} Mbit/s` : `${Math.round(kbps)} kbit/s`;
}

/** Both in the unit of what was wanted, so that they can be compared. */
export function bitrateOfWords(kbps: number, wantedKbps: number): string {
  if (wantedKbps < 1000) return `${Math.round(kbps)} of ${Math.round(wantedKbps)} kbit/s`;
  const megabits = (figure: number) => (figure / 1000).toFixed(wantedKbps >= 10_000 ? 1 : 2);
  return `${megabits(kbps)} of ${megabits(wantedKbps)} Mbit/s`;
}

export function framesWords(framesPerSecond: number | null | undefined): string {
  return framesPerSecond === null || framesPerSecond === undefined ? unknown : `${framesPerSecond.toFixed(1)} fps`;
}

export function sizeWords(width: number | null | undefined, height: number | null | undefined): string {
  return width === null || width === undefined || height === null || height === undefined || width === 0 ? unknown : `${width}×${height}`;
}

export function temperatureWords(temperatureC: number | null | undefined): string {
  return temperatureC === null || temperatureC === undefined ? unknown : `${Math.round(temperatureC)} °C`;
}

export function bytesWords(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return unknown;
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

export function usedWords(total: number | null | undefined, free: number | null | undefined): string {
  if (total === null || total === undefined || free === null || free === undefined || total === 0) return unknown;
  return `${Math.round((100 * (total - free)) / total)} %`;
}

export function loadWords(load: number | null | undefined): string {
  return load === null || load === undefined ? unknown : load.toFixed(2);
}

type Wifi = { readonly wifiSignalDbm?: number; readonly wifiRateMbps?: number };

/** Empty where the device has no Wi-Fi. */
export function wifiWords({ wifiSignalDbm, wifiRateMbps }: Wifi): string {
  const parts = [
    ...(wifiSignalDbm === undefined ? [] : [`${wifiSignalDbm} dBm`]),
    ...(wifiRateMbps === undefined ? [] : [`${Math.round(wifiRateMbps)} Mbit/s`]),
  ];
  return parts.join(', ');
}

export function millisecondsWords(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** Against the fleet server's clock. `precisionMs`: how far the truth may be from `offsetMs`; an offset that may be none is not told as one. */
export function clockOffsetWords(offsetMs: number, precisionMs = 0): string {
  const off = Math.abs(offsetMs);
  const unknownMs = Math.max(precisionMs, 1);
  if (off <= unknownMs) return `right, ± ${millisecondsWords(unknownMs)}`;
  return `${millisecondsWords(off)} ${offsetMs > 0 ? 'ahead' : 'behind'}`;
}
