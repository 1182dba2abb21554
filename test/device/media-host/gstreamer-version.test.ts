import { expect, it } from 'vitest';
import { gstreamerVersion } from '#device/media-host/gstreamer-version.ts';

it.each([
  ['7f0 r-xp 00000000 08:01 1 /usr/lib/x86_64-linux-gnu/libgstreamer-1.0.so.0.2200.0\n', '1.22.0'],
  ['7f0 r-xp 00000000 08:01 1 /usr/lib/aarch64-linux-gnu/libgstreamer-1.0.so.0.2602.0\n', '1.26.2'],
  ['7f0 r-xp 00000000 08:01 1 /usr/lib/libc.so.6\n', 'unknown'],
])('%s', (maps, version) => {
  expect(gstreamerVersion(maps)).toBe(version);
});
