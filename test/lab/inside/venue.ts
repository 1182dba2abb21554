/** A venue with a network of its own, from which one line leads to the relay and the fleet, as good or bad as one likes. */
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectTo, createServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { promisify } from 'node:util';
import type { ShapedLink } from '../../device/media/constrained-link.ts';
import type { Laboratory } from '../scenario.ts';
import { loadNetworkModules } from './modules.ts';
import { agentBehind, type Place } from './station.ts';

const run = promisify(execFile);

const name = 'venue';
const outside = '10.77.0.1';
const inside = '10.77.0.2';

/** One way; there and back it is twice that. */
const delayMs = 100;
const lossPercent = 2;
/** Nothing gets through. */
const cutPercent = 100;

export type Venue = {
  /** For a station: the agent runs there. */
  readonly place: Place;
  /** Far away and with losses from the beginning, in both directions. */
  readonly line: ShapedLink;
  /** No losses any more; it stays as far. */
  readonly endLosses: () => void;
};

/** It is gone with the end of the scenario. */
export async function openVenue(laboratory: Laboratory): Promise<Venue> {
  const { undoLater } = laboratory;
  const ip = (...words: readonly string[]) => run('ip', words);
  const ipThere = (...words: readonly string[]) => run('ip', ['-n', name, ...words]);
  await loadNetworkModules();
  await ip('netns', 'add', name);
  undoLater(() => ip('netns', 'delete', name));
  await ip('link', 'add', 'street', 'type', 'veth', 'peer', 'name', 'uplink', 'netns', name);
  await ip('address', 'add', `${outside}/24`, 'dev', 'street');
  await ip('link', 'set', 'street', 'up');
  await ipThere('address', 'add', `${inside}/24`, 'dev', 'uplink');
  await ipThere('link', 'set', 'uplink', 'up');
  await ipThere('link', 'set', 'lo', 'up');
  const command = ['ip', 'netns', 'exec', name];
  return {
    place: {
      start: agentBehind(laboratory, command),
      reach: async (port) => {
        undoLater(await forward(port));
        return `${outside}:${port}`;
      },
    },
    ...shapedLine(command),
  };
}

function shapedLine(command: readonly string[]): Pick<Venue, 'line' | 'endLosses'> {
  let rateKbps = 10_000;
  let percentLost = lossPercent;
  const set = (percent: number): void => {
    const shape = ['netem', 'delay', `${delayMs}ms`, 'loss', `${percent}%`, 'rate', `${rateKbps}kbit`, 'limit', '200'];
    const [program = '', ...words] = [...command, 'tc', 'qdisc', 'replace', 'dev', 'uplink', 'root', ...shape];
    execFileSync(program, words);
    execFileSync('tc', ['qdisc', 'replace', 'dev', 'street', 'root', ...shape]);
  };
  const mend = () => set(percentLost);
  mend();
  return {
    line: {
      shape(kbps) {
        rateKbps = kbps;
        mend();
      },
      cut: () => set(cutPercent),
      mend,
    },
    endLosses() {
      percentLost = 0;
      mend();
    },
  };
}

/** Our servers listen on 127.0.0.1 only. Neither side is read faster than the other takes it. */
async function forward(port: number): Promise<() => void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const onward = connectTo(port, '127.0.0.1');
    for (const end of [socket, onward]) {
      sockets.add(end);
      end.on('close', () => sockets.delete(end));
    }
    // An end that breaks breaks the other.
    const onEnd = (): void => undefined;
    pipeline(socket, onward, onEnd);
    pipeline(onward, socket, onEnd);
  });
  server.listen(port, outside);
  await once(server, 'listening');
  return () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
}
