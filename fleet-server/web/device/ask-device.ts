/** Asks a device for one thing and waits for its answer. */
import { type CommandKind, commandDefinitions } from '#protocol/commands.ts';
import { CommandStatus } from '#protocol/model/command.ts';
import { get, pathOf, send } from '../api/api.ts';
import { isFinished } from '../api/queries.ts';

const askAgainMs = 400;
/** The server marks it as expired at its deadline; beyond this nobody waits for that either. */
const patienceMs = 5000;

/** Resolves when it is done; rejects with the device's own words when it is not. */
export async function askDevice(deviceId: string, kind: CommandKind, given: Readonly<Record<string, unknown>>): Promise<CommandStatus> {
  let status = await send('POST', pathOf('devices', deviceId, 'commands'), { kind, arguments: given }, CommandStatus);
  const untilMs = performance.now() + commandDefinitions[kind].deadlineMs + patienceMs;
  while (!isFinished(status) && performance.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, askAgainMs));
    status = await get(pathOf('devices', deviceId, 'commands', status.id), CommandStatus);
  }
  if (status.state === 'done') return status;
  throw new Error(status.detail === '' ? 'The device gave no answer in time.' : `${status.detail}.`.replace(/\.\.$/, '.'));
}
