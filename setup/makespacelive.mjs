#!/usr/bin/env node
/**
 * `makespacelive`, one name for all that a clone can do: the fleet server and what works beside it, and the device's program with its own
 * subcommands. It installs nothing: "npm start" or "npm run agent" did that once. Paths are the caller's.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { projectNode, root } from './install.mjs';

const serverHelp = `Fleet server, on the machine that it runs on, with its FLEET_… variables:
  server            serves until it is told to stop
  join-token        prints a join token for a device [--uses N] [--expires-in S] [--group G] [--tag T]... [--approval]
  admin-password    gives admin a new password and the role of an admin, and prints the password
  backup DIRECTORY  copies the store and its key, while the server runs
  restore DIRECTORY brings them back, while it is stopped [--force]

Device:
`;
const beside = ['join-token', 'admin-password', 'backup', 'restore'];

const [subcommand = '', ...rest] = process.argv.slice(2);
const isServer = subcommand === 'server' || beside.includes(subcommand);
const program = isServer ? join(root, '.build', 'server', 'fleet-server.js') : join(root, '.build', 'agent', 'agent.js');
const flags = isServer
  ? ['--max-semi-space-size=16', '--heap-growing-percent=70', '--v8-pool-size=1']
  : ['--no-opt', '--no-maglev', '--no-sparkplug', '--max-semi-space-size=1'];
const argumentList = subcommand === 'server' ? rest : process.argv.slice(2);

// The device's program runs on the machine's own Node, too, where there is no other.
const node = existsSync(projectNode) || isServer ? projectNode : process.execPath;

if (!existsSync(node) || !existsSync(program)) {
  process.stderr.write(
    `makespacelive: expected an installed project in ${root}: run "npm start" there once, then Ctrl-C ("npm run agent" on a device).\n`,
  );
  process.exit(1);
}
if (subcommand === '--help' || subcommand === '-h') process.stdout.write(serverHelp);
const child = spawn(node, [...flags, program, ...argumentList], { stdio: 'inherit' });
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, () => child.kill(signal));
child.on('error', (cause) => {
  process.stderr.write(`makespacelive: ${cause.message}\n`);
  process.exitCode = 1;
});
child.on('exit', (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 128 + constants.signals[signal];
});
