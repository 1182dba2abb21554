/** This machine, as detection wants to see it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile, realpath } from 'node:fs/promises';
import { machine } from 'node:os';
import type { CommandOutcome, DetectionTools } from '#device/detect/tools.ts';
import { passedEnvironment } from '#device/media/host-process.ts';

/** The longest real answer, the list of all elements, has about 60 kB. */
const maximumOutputBytes = 4 * 1024 * 1024;
/** Characters of what a program says of its errors. */
const maximumComplaint = 4000;

export function localMachine(): DetectionTools {
  return {
    readFile: (path) => readFile(path, 'utf8').catch(() => null),
    readDirectory: (path) => readdir(path).catch(() => []),
    realPath: (path) => realpath(path).catch(() => null),
    run: runProgram,
    architecture: machine(),
  };
}

/**
 * A program that hangs inside a driver cannot be killed: the answer does not wait for its end, and neither does the end of
 * this process. Never rejects.
 */
export async function runProgram(command: string, commandArguments: readonly string[], timeoutMs: number): Promise<CommandOutcome> {
  try {
    const child = spawn(command, commandArguments, {
      stdio: ['ignore', 'pipe', 'pipe'],
      // What is parsed must not be translated or coloured, and our own environment may hold the stream key and the join token.
      env: { ...passedEnvironment(), LC_ALL: 'C', GST_INSPECT_NO_COLORS: '1', NO_COLOR: '1' },
    });
    return await outcomeOf(child, command, timeoutMs);
  } catch (cause) {
    // Out of memory, for example: most other reasons come as an event.
    return { kind: 'failed', reason: `${command}: ${cause instanceof Error ? cause.message : String(cause)}` };
  }
}

/** Without pipes where no file can be opened any more. */
function outcomeOf(child: ChildProcess, command: string, timeoutMs: number): Promise<CommandOutcome> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let complaint = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (complaint.length < maximumComplaint) complaint = (complaint + text).slice(0, maximumComplaint);
    });
    let bytes = 0;
    const giveUp = (reason: string) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.unref();
      resolve({ kind: 'failed', reason });
    };
    const timer = setTimeout(() => giveUp(`${command} gave no answer within ${timeoutMs} ms`), timeoutMs);
    child.stdout?.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes > maximumOutputBytes) giveUp(`${command} printed more than ${maximumOutputBytes} bytes`);
      else chunks.push(chunk);
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      resolve({ kind: 'failed', reason: error.code === 'ENOENT' ? `${command} is not installed` : `${command}: ${error.message}` });
    });
    child.on('close', (exitCode, signal) => {
      clearTimeout(timer);
      if (exitCode === null) resolve({ kind: 'failed', reason: `${command} was ended by ${signal}` });
      else resolve({ kind: 'finished', exitCode, stdout: Buffer.concat(chunks).toString('utf8'), stderr: complaint });
    });
  });
}
