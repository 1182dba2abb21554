/**
 * A link that can be made narrow, or cut without anybody being told: three network namespaces in a row, of which the middle one
 * is the router. For root alone; the machine's own network is not touched.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mediaHostProgram } from '#device/installation.ts';

/** What a scenario needs of a link: the laboratory has one with delay and loss besides. */
export type ShapedLink = {
  /** Kilobits a second towards the far side. */
  readonly shape: (kbps: number) => void;
  /** Packets vanish, both ways; no link goes down and nobody sends a word. */
  readonly cut: () => void;
  readonly mend: () => void;
};

/** As a cheap router buffers. */
const bufferMs = 300;
const burstBytes = 15_000;

export const canMakeLinks = process.getuid?.() === 0 && canMakeNamespaces();

export class ConstrainedLink implements ShapedLink {
  readonly farAddress = '10.77.2.2';
  readonly #near: string;
  readonly #middle: string;
  readonly #far: string;

  constructor(name = `msl${process.pid}`) {
    this.#near = `${name}-near`;
    this.#middle = `${name}-mid`;
    this.#far = `${name}-far`;
    for (const space of this.#spaces()) {
      ip('netns', 'add', space);
      ip('-n', space, 'link', 'set', 'lo', 'up');
    }
    join(this.#near, this.#middle, 'in', '10.77.1');
    join(this.#far, this.#middle, 'out', '10.77.2');
    ip('-n', this.#near, 'route', 'add', 'default', 'via', '10.77.1.1');
    ip('-n', this.#far, 'route', 'add', 'default', 'via', '10.77.2.1');
    ip('netns', 'exec', this.#middle, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
  }

  shape(kbps: number): void {
    const words = `rate ${kbps}kbit burst ${burstBytes} latency ${bufferMs}ms`.split(' ');
    ip('netns', 'exec', this.#middle, 'tc', 'qdisc', 'replace', 'dev', 'out', 'root', 'tbf', ...words);
  }

  cut(): void {
    for (const side of ['10.77.1.2', '10.77.2.2']) ip('-n', this.#middle, 'route', 'replace', 'blackhole', `${side}/32`);
  }

  mend(): void {
    for (const side of ['10.77.1.2', '10.77.2.2']) ip('-n', this.#middle, 'route', 'del', 'blackhole', `${side}/32`);
  }

  /** As a cable that is pulled, and put back: the near side sees its link go and come. */
  pull(): void {
    ip('-n', this.#middle, 'link', 'set', 'in', 'down');
  }

  plug(): void {
    ip('-n', this.#middle, 'link', 'set', 'in', 'up');
  }

  /** A media host on the near side. */
  readonly spawnHost = (stateDirectory: string): ChildProcess =>
    this.#spawn(this.#near, [process.execPath, mediaHostProgram, stateDirectory], 'ignore');

  spawnFar(command: readonly string[]): ChildProcess {
    return this.#spawn(this.#far, command, 'pipe');
  }

  /** May be called twice. Processes inside are to be ended first. */
  remove(): void {
    for (const space of this.#spaces()) {
      try {
        ip('netns', 'del', space);
      } catch {
        // It was not made, or is gone.
      }
    }
  }

  #spawn(space: string, command: readonly string[], output: 'ignore' | 'pipe'): ChildProcess {
    const environment = { ...process.env, UV_THREADPOOL_SIZE: '28', MALLOC_ARENA_MAX: '2' };
    return spawn('ip', ['netns', 'exec', space, ...command], { stdio: ['ignore', output, 'ignore'], env: environment });
  }

  #spaces(): readonly string[] {
    return [this.#near, this.#middle, this.#far];
  }
}

function join(side: string, middle: string, name: string, network: string): void {
  ip('-n', side, 'link', 'add', 'eth', 'type', 'veth', 'peer', 'name', name, 'netns', middle);
  ip('-n', side, 'addr', 'add', `${network}.2/24`, 'dev', 'eth');
  ip('-n', middle, 'addr', 'add', `${network}.1/24`, 'dev', name);
  ip('-n', side, 'link', 'set', 'eth', 'up');
  ip('-n', middle, 'link', 'set', name, 'up');
}

function ip(...words: readonly string[]): void {
  execFileSync('ip', words, { stdio: 'pipe' });
}

function canMakeNamespaces(): boolean {
  const name = `msl${process.pid}-try`;
  try {
    ip('netns', 'add', name);
    ip('netns', 'exec', name, 'tc', 'qdisc', 'replace', 'dev', 'lo', 'root', 'tbf', 'rate', '1mbit', 'burst', '15000', 'latency', '50ms');
    ip('netns', 'del', name);
    return true;
  } catch {
    return false;
  }
}
