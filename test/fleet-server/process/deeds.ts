/**
 * What operators and a device do at a server that is killed again and again. Each kind of deed remembers what was acknowledged, and says at a
 * server that was started anew what of it is not there.
 */
import { DatabaseSync } from 'node:sqlite';
import type { AlertRuleList } from '#protocol/model/alert.ts';
import type { DeviceDetail } from '#protocol/model/device.ts';
import type { DeviceSettings } from '#protocol/model/settings.ts';
import { request } from './writes.ts';

export type Server = { readonly url: string; readonly cookie: string };

/** Does the same again and again, each time with the next number, until the server is gone or it is stopped. */
export class Deed {
  /** The highest number that was acknowledged, and the highest that was asked for. */
  acknowledged = 0;
  asked = 0;
  readonly #write: (server: Server, number: number) => Promise<Response>;
  readonly #mostPerRound: number;
  #isStopped = false;
  #work: Promise<void> = Promise.resolve();

  constructor(write: (server: Server, number: number) => Promise<Response>, mostPerRound = Number.POSITIVE_INFINITY) {
    this.#write = write;
    this.#mostPerRound = mostPerRound;
  }

  start(server: Server): void {
    this.#isStopped = false;
    this.#work = this.#run(server);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#work;
  }

  async #run(server: Server): Promise<void> {
    for (let done = 0; !this.#isStopped && done < this.#mostPerRound; done += 1) {
      this.asked += 1;
      const number = this.asked;
      try {
        const answer = await this.#write(server, number);
        // As many commands wait as may.
        if (answer.status === 429) return;
        if (!answer.ok) throw new Error(`expected it to be done, got ${answer.status}: ${await answer.text()}`);
        this.acknowledged = number;
      } catch (cause) {
        // `fetch` fails so when the server is gone: what was under way was not acknowledged.
        if (cause instanceof TypeError) return;
        throw cause;
      }
    }
  }
}

const lowestKbps = 1000;
/** Of a server's 200; each that is made deletes one of long ago. */
const keptRules = 20;
/** A device may have twenty that wait, and the newest two hundred of it are kept. */
const commandsPerRound = 3;

/** Of the settings and tags of one device, of commands to another, and of alert rules. */
export class Deeds {
  readonly settings: Deed;
  readonly tags: Deed;
  readonly commands: Deed;
  readonly rules: Deed;
  readonly #settled: string;
  readonly #commanded: string;
  readonly #ruleIds: string[] = [];
  readonly #commandIds: string[] = [];

  constructor(devices: { readonly settled: string; readonly commanded: string }) {
    this.#settled = `/devices/${devices.settled}`;
    this.#commanded = `/devices/${devices.commanded}/commands`;
    this.settings = new Deed((server, number) =>
      ask(server, 'PATCH', `${this.#settled}/settings`, { AV_VIDEO_BITRATE: lowestKbps + number }),
    );
    this.tags = new Deed((server, number) => ask(server, 'PATCH', this.#settled, { tags: [`number-${number}`] }));
    this.commands = new Deed((server) => this.#command(server), commandsPerRound);
    this.rules = new Deed((server, number) => this.#rule(server, number));
  }

  get all(): readonly Deed[] {
    return [this.settings, this.tags, this.commands, this.rules];
  }

  /** In words, what was acknowledged and is not there; what was only asked for may be there or not. */
  async lost(server: Server): Promise<readonly string[]> {
    const [device, settings, rules] = await Promise.all([
      read<DeviceDetail>(server, this.#settled),
      read<DeviceSettings>(server, `${this.#settled}/settings`),
      read<AlertRuleList>(server, '/alert-rules'),
    ]);
    const own = settings.settings.find(({ key }) => key === 'AV_VIDEO_BITRATE')?.levels.device;
    const setting = own?.kind === 'plain' ? Number(own.value) - lowestKbps : 0;
    const tag = Number(device.tags[0]?.replace('number-', '') ?? 0);
    return [
      ...outside('setting', setting, this.settings),
      ...outside('tag', tag, this.tags),
      ...this.#ruleIds.filter((id) => !rules.rules.some((rule) => rule.id === id)).map((id) => `alert rule ${id}`),
    ];
  }

  /** Those that are not done, with their state. */
  undone(path: string): readonly string[] {
    const database = new DatabaseSync(path, { readOnly: true });
    const rows = database.prepare('select "id", "state" from "commands"').all();
    database.close();
    const states = new Map(rows.map(({ id, state }) => [id, state]));
    return this.#commandIds.filter((id) => states.get(id) !== 'done').map((id) => `command ${id}: ${states.get(id) ?? 'not there'}`);
  }

  /** Whether the device has applied what was set last. */
  async isApplied(server: Server): Promise<boolean> {
    return (await read<DeviceSettings>(server, `${this.#settled}/settings`)).state === 'applied';
  }

  async #command(server: Server): Promise<Response> {
    const answer = await ask(server, 'POST', this.#commanded, { kind: 'restart-pipeline', deadlineS: 600 });
    if (answer.ok) this.#commandIds.push(((await answer.clone().json()) as { id: string }).id);
    return answer;
  }

  async #rule(server: Server, number: number): Promise<Response> {
    if (this.#ruleIds.length >= keptRules) {
      // It may be gone, with or without an answer.
      const old = this.#ruleIds.shift();
      await (await ask(server, 'DELETE', `/alert-rules/${old}`)).text();
    }
    const trigger = { kind: 'offline' };
    const rest = { forS: 3600, severity: 'info', group: null, enabled: false, channelIds: [], quietHours: null, escalation: null };
    const answer = await ask(server, 'POST', '/alert-rules', { name: `number ${number}`, trigger, ...rest });
    if (answer.ok) this.#ruleIds.push(((await answer.clone().json()) as { id: string }).id);
    return answer;
  }
}

function outside(what: string, there: number, { acknowledged, asked }: Deed): readonly string[] {
  if (there >= acknowledged && there <= asked) return [];
  return [`${what}: expected number ${acknowledged} (up to ${asked} was asked for), got ${there}`];
}

function ask({ url, cookie }: Server, method: string, path: string, body?: object): Promise<Response> {
  return request(url, cookie, method, path, body);
}

async function read<T>(server: Server, path: string): Promise<T> {
  const answer = await ask(server, 'GET', path);
  if (!answer.ok) throw new Error(`expected ${path}, got ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}
