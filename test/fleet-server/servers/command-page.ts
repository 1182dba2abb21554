/** A page on which a command stands: it reads it anew when it is told of a change, and never by itself. */
import type { Change } from '#protocol/model/change.ts';
import type { CommandStatus } from '#protocol/model/command.ts';
import type { OneServer } from './servers-under-test.ts';

export type CommandPage = { shown(): CommandStatus | null; close(): Promise<void> };

export async function openCommandPage(server: OneServer, deviceId: string, commandId: string): Promise<CommandPage> {
  const ending = new AbortController();
  const response = await server.request('GET', '/changes', undefined, ending.signal);
  if (!response.ok || response.body === null) throw new Error(`expected the changes, got ${response.status}`);
  let shown: CommandStatus | null = null;
  const follow = async (body: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of body) {
      const events = `${rest}${decoder.decode(chunk, { stream: true })}`.split('\n\n');
      rest = events.pop() ?? '';
      if (!events.some((event) => isOf(deviceId, event))) continue;
      shown = await server.json<CommandStatus>('GET', `/devices/${deviceId}/commands/${commandId}`);
    }
  };
  const following = follow(response.body).catch((err: unknown) => {
    if (!ending.signal.aborted) throw err;
  });
  return {
    shown: () => shown,
    close: () => {
      ending.abort();
      return following;
    },
  };
}

function isOf(deviceId: string, event: string): boolean {
  const data = /^data: (.*)$/m.exec(event)?.[1];
  if (data === undefined) return false;
  const change = JSON.parse(data) as Change;
  return change.subject === 'commands' && (change.deviceId ?? deviceId) === deviceId;
}
