/** The words on the "no signal" card. Pure. */

const longestTitle = 60;

/** `since` is shown in the device's own time zone, by which people in the room go. */
export function cardText(title: string, since: Date, lastedMs: number): string {
  const shown = title.length > longestTitle ? `${title.slice(0, longestTitle - 1)}…` : title;
  return `${withoutMarkup(shown)}\nNo signal since ${clockTime(since)}\n${duration(lastedMs)}`;
}

/** textoverlay reads Pango's markup. */
export function withoutMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function clockTime(time: Date): string {
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

/** Minutes and seconds, from an hour on with the hours before them. */
function duration(lastedMs: number): string {
  const seconds = Math.floor(lastedMs / 1000);
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, '0'));
  const hours = Math.floor(seconds / 3600);
  return hours === 0 ? parts.join(':') : `${hours}:${parts.join(':')}`;
}
