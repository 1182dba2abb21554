/** `join-token [--uses N] [--expires-in SECONDS] [--group NAME] [--tag WORD]... [--approval]`: prints a new join token. Works while the server runs. */
import { parseArgs } from 'node:util';
import { Value } from 'typebox/value';
import { AuditLog } from '#fleet-server/audit/audit-log.ts';
import { systemClock } from '#fleet-server/clock.ts';
import type { Configuration } from '#fleet-server/configuration.ts';
import { JoinTokens } from '#fleet-server/enrolment/join-tokens.ts';
import { UsageError } from '#fleet-server/process/usage-error.ts';
import { withStore } from '#fleet-server/process/with-store.ts';
import { JoinTokenRequest } from '#protocol/model/enrolment.ts';

const usage =
  'Usage: join-token [--uses 1..100000] [--expires-in 60..31536000 (seconds)] [--group a-z0-9-] [--tag a-z0-9-]... [--approval]';

export async function printJoinToken(configuration: Configuration, argumentList: readonly string[]): Promise<void> {
  const request = readArguments(argumentList);
  await withStore(configuration, async ({ store, secrets }) => {
    const joinTokens = new JoinTokens({
      database: store.database,
      secrets,
      clock: systemClock,
      audit: new AuditLog({ clock: systemClock, log: null }),
    });
    const { token } = await joinTokens.create(request, 'the command line');
    process.stdout.write(`${token}\n`);
  });
}

export function readArguments(argumentList: readonly string[]): JoinTokenRequest {
  const options = {
    uses: { type: 'string' },
    'expires-in': { type: 'string' },
    group: { type: 'string' },
    tag: { type: 'string', multiple: true },
    approval: { type: 'boolean' },
  } as const;
  let values: {
    uses?: string | undefined;
    'expires-in'?: string | undefined;
    group?: string | undefined;
    tag?: string[] | undefined;
    approval?: boolean | undefined;
  };
  try {
    ({ values } = parseArgs({ args: [...argumentList], options, strict: true }));
  } catch (cause) {
    throw new UsageError(`${cause instanceof Error ? cause.message : ''}\n${usage}`);
  }
  const request = {
    ...(values.uses === undefined ? {} : { uses: Number(values.uses) }),
    ...(values['expires-in'] === undefined ? {} : { expiresInS: Number(values['expires-in']) }),
    ...(values.group === undefined ? {} : { group: values.group }),
    ...(values.tag === undefined ? {} : { tags: values.tag }),
    ...(values.approval === undefined ? {} : { approval: values.approval }),
  };
  if (!Value.Check(JoinTokenRequest, request)) throw new UsageError(usage);
  return request;
}
