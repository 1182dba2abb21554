/**
 * Installs what is missing, and says so before it does: Debian packages (setup/packages/*.txt), npm packages, a Node 24
 * for the project, the GStreamer binding built for that Node, and the dashboard. With nothing to do it only looks, in
 * well under a second.
 *
 * This file and its neighbours that end in .mjs run on the Node that the machine has (20.19 or newer) before anything is
 * installed: plain JavaScript, nothing but Node itself.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { arch, availableParallelism, platform, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** The project's own Node 24, whatever the machine has. */
export const projectNode = join(root, 'node_modules', '.bin', 'node');

const stampFile = join(root, 'node_modules', '.makespacelive.json');
const agentStampFile = join(root, '.build', 'agent', '.built-from');
const fleetServerStampFile = join(root, '.build', 'server', '.built-from');
const dashboardStampFile = join(root, 'fleet-server', 'web', 'dist', '.built-from');
const oldestNode = [20, 19];
/**
 * What Debian's packages start by themselves and nobody asked for: ours are children of the fleet server, or of a test.
 * @type {Readonly<Record<string, string>>}
 */
const unaskedServices = { nginx: 'web server', mosquitto: 'MQTT broker' };
const neededBytes = 1_500_000_000;

/** A reason that a person can act upon: printed as one line, without a stack. */
export class SetupError extends Error {}

/** @param {string} line */
function say(line) {
  process.stdout.write(`${line}\n`);
}

/**
 * What each purpose needs: which lists of Debian packages, and whether the fleet server with its dashboard. A device alone needs no relay.
 * @type {Readonly<Record<string, { readonly lists: readonly string[], readonly hasFleetServer: boolean }>>}
 */
export const purposes = {
  device: { lists: ['device', 'build'], hasFleetServer: false },
  start: { lists: ['device', 'relay', 'build'], hasFleetServer: true },
  test: { lists: ['device', 'relay', 'build', 'test'], hasFleetServer: true },
};

/** @param {string} purpose */
export async function install(purpose) {
  const needs = purposes[purpose];
  if (needs === undefined) throw new SetupError(`expected one of ${Object.keys(purposes).join(', ')}, got ${purpose}.`);
  checkNode();
  await installDebianPackages(needs.lists.flatMap(readPackageList));
  await installNpmPackages();
  await Promise.all([buildAgent(), ...(needs.hasFleetServer ? [buildFleetServer(), buildDashboard()] : [])]);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldestNode;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new SetupError(`expected Node ${oldestNode.join('.')} or newer, found ${process.versions.node}: upgrade Node, then try again.`);
}

/** @param {string} name */
function readPackageList(name) {
  return readFileSync(join(root, 'setup', 'packages', `${name}.txt`), 'utf8')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
}

/** @param {readonly string[]} names */
async function installDebianPackages(names) {
  const format = `${['Package', 'db:Status-Status'].map((field) => `\${${field}}`).join(' ')}\n`;
  const query = spawnSync('dpkg-query', ['--show', '--showformat', format, ...names], { encoding: 'utf8' });
  if (query.error !== undefined) {
    throw new SetupError(
      'expected a Debian or Raspberry Pi OS machine, found none of its package tools (dpkg-query). ' +
        `Install these by other means and link them into the PATH: ${names.join(' ')}`,
    );
  }
  const installed = new Set(
    query.stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  const missing = names.filter((name) => !installed.has(name));
  if (missing.length === 0) return;
  const byHand = `apt-get install --no-install-recommends ${missing.join(' ')}`;
  say(`Installing ${missing.length} Debian packages: ${missing.join(' ')}`);
  const prefix = administratorPrefix(byHand);
  await run('apt-get update', [...prefix, 'apt-get', 'update', '-qq'], {
    advice: 'Check the network, or another apt-get that runs at the same time; then try again.',
  });
  await run(
    'apt-get install',
    [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', 'install', '-y', '-q', '--no-install-recommends', ...missing],
    { advice: `Read the lines above; then run "sudo ${byHand}" by hand and try again.` },
  );
  if (!existsSync('/run/systemd/system')) return;
  for (const [name, what] of Object.entries(unaskedServices)) {
    if (!missing.includes(name)) continue;
    say(`Switching off the ${what} that the ${name} package started.`);
    await run('systemctl disable', [...prefix, 'systemctl', 'disable', '--now', '--quiet', `${name}.service`], {
      advice: `Run "sudo systemctl disable --now ${name}" by hand and try again.`,
    });
  }
}

/**
 * Root installs as it is, everybody else through sudo; where sudo wants a password and nobody sits at a terminal, the
 * line that a person can run instead.
 * @param {string} byHand
 */
function administratorPrefix(byHand) {
  if (process.getuid?.() === 0) return [];
  const probe = spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' });
  if (probe.status === 0) return ['sudo', '-n'];
  if (probe.error === undefined && process.stdin.isTTY) return ['sudo'];
  throw new SetupError(`no permission to install Debian packages. Run this as an administrator, then try again: ${byHand}`);
}

async function installNpmPackages() {
  const wanted = {
    lock: digestOf([join(root, 'package-lock.json')]),
    platform: `${platform()}-${arch()}`,
  };
  if (existsSync(projectNode) && isSame(readStamp(), wanted)) return;
  checkSpace();
  say('Installing the npm packages, with a Node 24 for the project (a minute or two the first time).');
  await runNpm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {});
  // The package "node" fetches the binary for this machine, and its headers, in its install script.
  await runNpm(['rebuild', 'node', '--loglevel=error'], {});
  const platformPackage = join(root, 'node_modules', 'node', 'node_modules', `node-${wanted.platform}`);
  if (!existsSync(join(platformPackage, 'include', 'node', 'node.h'))) {
    throw new SetupError(
      `there is no Node 24 for this machine (${wanted.platform}): expected it in the npm package node-${wanted.platform}.`,
    );
  }
  say('Building the GStreamer binding for it.');
  // The headers must be those of the Node that will run: a nodedir in a user's npm configuration would win otherwise.
  await runNpm(['rebuild', 'gstreamer-superficial', '--loglevel=error'], {
    PATH: `${join(platformPackage, 'bin')}:${process.env['PATH']}`,
    npm_config_nodedir: platformPackage,
    // The compiler takes some hundred megabytes for each of its files: a Raspberry Pi Zero has room for one at a time.
    JOBS: String(Math.max(1, Math.min(availableParallelism(), Math.floor(totalmem() / 1e9)))),
  });
  writeFileSync(stampFile, JSON.stringify(wanted));
}

function checkSpace() {
  const probe = spawnSync('df', ['--output=avail', '-B1', root], { encoding: 'utf8' });
  const free = Number(probe.stdout?.split('\n')[1]);
  if (!Number.isFinite(free) || free >= neededBytes) return;
  const gigabytes = (/** @type {number} */ bytes) => (bytes / 1e9).toFixed(1);
  throw new SetupError(
    `expected ${gigabytes(neededBytes)} GB of free disk for the npm packages, found ${gigabytes(free)} GB: make room, then try again.`,
  );
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'));
  } catch (cause) {
    // No stamp, or half of one after a power cut: install again.
    if (cause instanceof Error && (cause instanceof SyntaxError || ('code' in cause && cause.code === 'ENOENT'))) return undefined;
    throw cause;
  }
}

/**
 * @param {unknown} left
 * @param {unknown} right
 */
function isSame(left, right) {
  return JSON.stringify(left) === JSON.stringify(right);
}

export async function buildAgent() {
  const sources = [
    ...['device', 'hardware-profiles', 'protocol'].flatMap((room) => listFiles(join(root, room), [])),
    join(root, 'setup', 'bundle-agent.ts'),
    ...listFiles(join(root, 'setup', 'bundle'), []),
  ];
  await buildOnce('Bundling the device agent.', agentStampFile, sources, [projectNode, join(root, 'setup', 'bundle-agent.ts')]);
}

export async function buildFleetServer() {
  const web = join(root, 'fleet-server', 'web');
  const sources = [
    ...listFiles(join(root, 'fleet-server'), []).filter((file) => !file.startsWith(web)),
    ...listFiles(join(root, 'protocol'), []),
    join(root, 'setup', 'bundle-fleet-server.ts'),
    ...listFiles(join(root, 'setup', 'bundle'), []),
  ];
  const program = join(root, 'setup', 'bundle-fleet-server.ts');
  await buildOnce('Bundling the fleet server.', fleetServerStampFile, sources, [projectNode, program]);
}

async function buildDashboard() {
  const web = join(root, 'fleet-server', 'web');
  const sources = [...listFiles(web, ['dist']), ...listFiles(join(root, 'protocol'), [])];
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  await buildOnce('Building the dashboard.', dashboardStampFile, sources, [projectNode, vite, 'build', '--logLevel', 'error', web]);
}

/**
 * Builds unless the stamp says that it was built from just these sources and packages.
 * @param {string} line what is said before
 * @param {string} stamp
 * @param {readonly string[]} sources
 * @param {readonly string[]} command
 */
async function buildOnce(line, stamp, sources, command) {
  const digest = digestOf([...sources, join(root, 'package-lock.json')]);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  say(line);
  await run(line.replace(/\.$/, ''), command, { advice: 'Read the lines above.' });
  writeFileSync(stamp, digest);
}

/**
 * @param {string} folder
 * @param {readonly string[]} leaveOut
 * @returns {string[]}
 */
function listFiles(folder, leaveOut) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !leaveOut.includes(entry.name))
    .sort((left, right) => (left.name < right.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? listFiles(join(folder, entry.name), []) : [join(folder, entry.name)]));
}

/** @param {readonly string[]} files */
function digestOf(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file.slice(root.length)}\0${statSync(file).size}\0`).update(readFileSync(file));
  return hash.digest('hex');
}

/**
 * @param {readonly string[]} args
 * @param {Record<string, string>} environment
 */
function runNpm(args, environment) {
  const npmProgram = process.env['npm_execpath'];
  // npm hands its own configuration to its scripts as variables; an npm inside must read the files itself.
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_(config|package|lifecycle)_/i.test(name)));
  const command = npmProgram?.endsWith('.js') ? [systemNode(), npmProgram] : ['npm'];
  return run(`npm ${args[0]}`, [...command, ...args], {
    environment: { ...inherited, ...environment },
    advice: 'Check the network and the free disk, then try again.',
  });
}

/** The Node outside of node_modules, which "npm ci" is about to replace. */
function systemNode() {
  const folders = (process.env['PATH'] ?? '').split(':').filter((folder) => folder !== '' && !folder.includes('node_modules'));
  return folders.map((folder) => join(folder, 'node')).find((file) => existsSync(file)) ?? process.execPath;
}

/**
 * @param {string} name
 * @param {readonly string[]} command
 * @param {{ environment?: Record<string, string | undefined>, advice: string }} options
 * @returns {Promise<void>}
 */
function run(name, [program = '', ...args], { environment = process.env, advice }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: environment });
    child.on('error', (cause) => reject(new SetupError(`${name} could not be started (${cause.message}). ${advice}`)));
    child.on('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(new SetupError(`${name} ended with ${signal ?? `exit code ${code}`}. ${advice}`));
    });
  });
}
