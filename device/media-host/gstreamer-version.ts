/** The version of the GStreamer library that this process has loaded, from the library's own file name. */

/** `maps` is the text of /proc/self/maps; libtool names GStreamer 1.22.3 libgstreamer-1.0.so.0.2203.0. */
export function gstreamerVersion(maps: string): string {
  const found = /libgstreamer-1\.0\.so\.0\.(\d+)\.\d+/.exec(maps)?.[1];
  if (found === undefined) return 'unknown';
  return `1.${Math.floor(Number(found) / 100)}.${Number(found) % 100}`;
}
