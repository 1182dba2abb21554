/** The newest picture of a kind of each device, in memory: one a device, and all together at most `maxTotalBytes`. */
export type Preview = { readonly jpeg: Buffer; readonly atMs: number };

export type Previews = {
  set(deviceId: string, preview: Preview): void;
  get(deviceId: string): Preview | undefined;
  delete(deviceId: string): void;
};

const defaultMaxTotalBytes = 128 * 1024 * 1024;

export function createPreviews(maxTotalBytes: number = defaultMaxTotalBytes): Previews {
  // Insertion order is age: the oldest picture is the first to go.
  const kept = new Map<string, Preview>();
  let totalBytes = 0;
  const remove = (deviceId: string): void => {
    totalBytes -= kept.get(deviceId)?.jpeg.byteLength ?? 0;
    kept.delete(deviceId);
  };
  return {
    set: (deviceId, preview) => {
      remove(deviceId);
      kept.set(deviceId, preview);
      totalBytes += preview.jpeg.byteLength;
      for (const oldest of kept.keys()) {
        if (totalBytes <= maxTotalBytes) break;
        remove(oldest);
      }
    },
    get: (deviceId) => kept.get(deviceId),
    delete: remove,
  };
}
