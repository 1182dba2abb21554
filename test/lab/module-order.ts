/** Which kernel modules must be there for some others, from the kernel's own list (modules.dep, written by depmod). Pure. */

/** "kernel/fs/9p/9p.ko: kernel/net/9p/9pnet.ko kernel/fs/netfs/netfs.ko": a module, then all that it needs, the innermost last. */
export function parseModuleDependencies(text: string): ReadonlyMap<string, readonly string[]> {
  const lines = text.split('\n').filter((line) => line.includes(':'));
  return new Map(
    lines.map((line) => {
      const [path = '', ...needed] = line.split(/:\s*|\s+/).filter(Boolean);
      return [path, needed] as const;
    }),
  );
}

/** "kernel/net/9p/9pnet_virtio.ko.xz" is the module 9pnet_virtio; the kernel takes a hyphen and an underscore for the same. */
function moduleName(path: string): string {
  return (path.split('/').at(-1) ?? '').replace(/\.ko(?:\.\w+)?$/, '').replaceAll('-', '_');
}

export type ModuleOrder =
  | { readonly kind: 'order'; readonly paths: readonly string[] }
  /** This kernel has no such modules. */
  | { readonly kind: 'missing'; readonly names: readonly string[] };

/** The files of the named modules and of all that they need, each once, in an order in which they can be loaded. */
export function moduleOrder(dependencies: ReadonlyMap<string, readonly string[]>, names: readonly string[]): ModuleOrder {
  const pathByName = new Map([...dependencies.keys()].map((path) => [moduleName(path), path]));
  const missing = names.filter((name) => !pathByName.has(name.replaceAll('-', '_')));
  if (missing.length > 0) return { kind: 'missing', names: missing };
  const paths = names.flatMap((name) => {
    const path = pathByName.get(name.replaceAll('-', '_')) ?? '';
    return [...(dependencies.get(path) ?? []).toReversed(), path];
  });
  return { kind: 'order', paths: [...new Set(paths)] };
}
