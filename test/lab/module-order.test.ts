import { expect, test } from 'vitest';
import { moduleOrder, parseModuleDependencies } from './module-order.ts';

/** Lines of Debian 12's own. */
const dependencies = parseModuleDependencies(`kernel/fs/overlayfs/overlay.ko:
kernel/net/9p/9pnet.ko: kernel/fs/netfs/netfs.ko
kernel/fs/netfs/netfs.ko:
kernel/fs/9p/9p.ko: kernel/net/9p/9pnet.ko kernel/fs/fscache/fscache.ko kernel/fs/netfs/netfs.ko
kernel/net/9p/9pnet_virtio.ko: kernel/net/9p/9pnet.ko kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko
kernel/sound/drivers/snd-aloop.ko.xz: kernel/sound/core/snd.ko.xz
`);

test('what a module needs comes before it, and nothing comes twice', () => {
  expect(moduleOrder(dependencies, ['9p', '9pnet_virtio', 'overlay'])).toEqual({
    kind: 'order',
    paths: [
      'kernel/fs/netfs/netfs.ko',
      'kernel/fs/fscache/fscache.ko',
      'kernel/net/9p/9pnet.ko',
      'kernel/fs/9p/9p.ko',
      'kernel/drivers/virtio/virtio_ring.ko',
      'kernel/drivers/virtio/virtio.ko',
      'kernel/net/9p/9pnet_virtio.ko',
      'kernel/fs/overlayfs/overlay.ko',
    ],
  });
});

test('a name with a hyphen or an underscore, a file with or without compression', () => {
  const paths = ['kernel/sound/core/snd.ko.xz', 'kernel/sound/drivers/snd-aloop.ko.xz'];
  expect(moduleOrder(dependencies, ['snd_aloop'])).toEqual({ kind: 'order', paths });
  expect(moduleOrder(dependencies, ['snd-aloop'])).toEqual({ kind: 'order', paths });
});

test('modules that this kernel lacks are named', () => {
  expect(moduleOrder(dependencies, ['9p', 'vivid', 'none'])).toEqual({ kind: 'missing', names: ['vivid', 'none'] });
});
