/**
 * The way in from "npm start", "npm test" and the rest: installs what is missing, then hands over to a program on the
 * project's own Node 24. Arguments: the purpose (device, start or test), the program, its arguments.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { install, projectNode, root, SetupError } from './install.mjs';

const [purpose, program, ...rest] = process.argv.slice(2);

/** What the agent ends with when it wants to be started anew: device/exit-codes.ts. */
const startMeAnew = 75;
const pauseMs = 1000;

/** @type {import('node:child_process').ChildProcess | undefined} */
let child;
let isTold = false;
// A terminal's Ctrl-C reaches the child by itself as well: it takes the second one within a moment for the same.
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => {
    isTold = true;
    child?.kill(signal);
  });
}

/** @returns {Promise<number>} the exit code of the program */
function handOver() {
  return new Promise((resolve, reject) => {
    // The channel tells a running system that this process is gone, however it went: it stops then, too. A program that runs alone
    // speaks to the terminal instead.
    child = spawn(projectNode, [program ?? '', ...rest], {
      cwd: root,
      // Each thread would have an arena of its own in glibc, of which little is given back: tens of megabytes in all.
      env: { MALLOC_ARENA_MAX: '2', ...process.env },
      stdio: ['inherit', 'inherit', 'inherit', program === 'setup/start.ts' ? 'ipc' : 'ignore'],
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]));
  });
}

/**
 * The agent is told to start anew by its fleet server, or tells it itself when nothing else brings its stream back: at most a few times an
 * hour. Nobody else is there to start it.
 */
async function handOverAgain() {
  let exitCode = await handOver();
  while (purpose === 'device' && exitCode === startMeAnew && !isTold) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    if (isTold) break;
    exitCode = await handOver();
  }
  return exitCode;
}

try {
  await install(purpose ?? '');
  process.exitCode = await handOverAgain();
} catch (cause) {
  if (!(cause instanceof SetupError)) throw cause;
  process.stderr.write(`MakeSpaceLive: ${cause.message}\n`);
  process.exitCode = 1;
}
