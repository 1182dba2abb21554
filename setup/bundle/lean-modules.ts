/**
 * What the agent's bundle takes in place of some modules, because the device has little memory. Each row was measured on
 * Node 24 (x86-64); all of them together take some 15 MB off the agent.
 */
import type { Plugin } from 'rolldown';

/**
 * Node's own modules. An `import` of `node:http` reads all its exports, and one of them loads a second HTTP client, WebSocket and
 * WebAssembly with it (12 MB); TLS is 5 MB that a fleet server without it never needs. So they are loaded when first used.
 */
const lateModules: Readonly<Record<string, readonly string[]>> = {
  http: ['request', 'get', 'createServer', 'STATUS_CODES'],
  https: ['request', 'get'],
  tls: ['connect'],
  zlib: ['createInflateRaw', 'createDeflateRaw', 'Z_DEFAULT_WINDOWBITS', 'Z_SYNC_FLUSH'],
};

/** MQTT.js brings what makes it run in browsers and behind proxies. The device runs on Node, and makes its connection itself. */
const replacements: Readonly<Record<string, string>> = {
  // Node's streams: the package is a copy of them.
  'readable-stream': "module.exports = process.getBuiltinModule('stream');",
  'worker-timers': 'module.exports = {};',
  // With DEBUG set it would print packets, and with them the device's credential.
  debug: 'module.exports = () => () => undefined;',
  // The ways to connect that the library knows.
  './lib/connect': 'exports.default = undefined;',
  // For aliases of topics, which MQTT 3.1.1 has not.
  'lru-cache': 'module.exports = {};',
};

const late = '\0late:';
const lean = '\0lean:';

export function leanModules(): Plugin {
  return {
    name: 'lean-modules',
    resolveId(source, importer) {
      const builtin = source.replace(/^node:/, '');
      if (builtin in lateModules) return `${late}${builtin}`;
      const isOfLibrary = importer !== undefined && /\/node_modules\/(?:mqtt|mqtt-packet|bl)\//.test(importer);
      return isOfLibrary && source in replacements ? `${lean}${source}` : null;
    },
    load(id) {
      if (id.startsWith(late)) return lateModule(id.slice(late.length));
      return id.startsWith(lean) ? (replacements[id.slice(lean.length)] ?? null) : null;
    },
  };
}

function lateModule(name: string): string {
  const getters = (lateModules[name] ?? []).map((key) => `get ${key}() { return process.getBuiltinModule('${name}').${key}; }`);
  return `module.exports = { ${getters.join(', ')} };`;
}
