/** The questions of EMQX and VerneMQ, as they put them, and the answers as they want them. What does not fit is no question: refused. */
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { HookQuestion, HookVerdict } from '#fleet-server/broker/external/hook-decisions.ts';

const Text = Type.String({ maxLength: 1024 });
/** EMQX fills numbers and booleans into its templates as text. */
const Qos = Type.Union([Type.Integer({ minimum: 0, maximum: 2 }), Type.Enum(['0', '1', '2'])]);
const Flag = Type.Union([Type.Boolean(), Type.Enum(['true', 'false', '0', '1'])]);

export const questionSchemas = {
  emqxConnect: Type.Object({ clientid: Text, username: Text, password: Text }),
  emqxAuthorize: Type.Object({
    clientid: Text,
    username: Text,
    action: Type.Enum(['publish', 'subscribe']),
    topic: Text,
    qos: Type.Optional(Qos),
    retain: Type.Optional(Flag),
  }),
  verneMqConnect: Type.Object({ client_id: Text, username: Text, password: Text }),
  verneMqPublish: Type.Object({ client_id: Text, username: Text, topic: Text, qos: Qos, retain: Flag }),
  verneMqSubscribe: Type.Object({
    client_id: Text,
    username: Text,
    topics: Type.Array(Type.Object({ topic: Text }), { maxItems: 64 }),
  }),
};

const emqxConnect = Compile(questionSchemas.emqxConnect);
const emqxAuthorize = Compile(questionSchemas.emqxAuthorize);
const verneMqConnect = Compile(questionSchemas.verneMqConnect);
const verneMqPublish = Compile(questionSchemas.verneMqPublish);
const verneMqSubscribe = Compile(questionSchemas.verneMqSubscribe);

const isTrue = (flag: boolean | string | undefined): boolean => flag === true || flag === 'true' || flag === '1';

export function readEmqxConnect(body: unknown): HookQuestion | undefined {
  if (!emqxConnect.Check(body)) return undefined;
  return { kind: 'connect', clientId: body.clientid, username: body.username, password: body.password };
}

export function readEmqxAuthorize(body: unknown): HookQuestion | undefined {
  if (!emqxAuthorize.Check(body)) return undefined;
  const { clientid: clientId, username, topic } = body;
  if (body.action === 'subscribe') return { kind: 'subscribe', clientId, username, topics: [topic] };
  return { kind: 'publish', clientId, username, topic, qos: Number(body.qos ?? 0), isRetained: isTrue(body.retain) };
}

/** `hook`: of the header `vernemq-hook`; those for MQTT 5 ask the same. */
export function readVerneMq(hook: string, body: unknown): HookQuestion | undefined {
  switch (hook.replace(/_m5$/, '')) {
    case 'auth_on_register':
      if (!verneMqConnect.Check(body)) return undefined;
      return { kind: 'connect', clientId: body.client_id, username: body.username, password: body.password };
    case 'auth_on_publish':
      if (!verneMqPublish.Check(body)) return undefined;
      return {
        kind: 'publish',
        clientId: body.client_id,
        username: body.username,
        topic: body.topic,
        qos: Number(body.qos),
        isRetained: isTrue(body.retain),
      };
    case 'auth_on_subscribe':
      if (!verneMqSubscribe.Check(body)) return undefined;
      return { kind: 'subscribe', clientId: body.client_id, username: body.username, topics: body.topics.map(({ topic }) => topic) };
    default:
      return undefined;
  }
}

export type EmqxAnswer = { readonly result: 'allow' | 'deny'; readonly is_superuser?: false };
export type VerneMqAnswer = { readonly result: 'ok' | { readonly error: 'not_allowed' } };

export function emqxAnswer(verdict: HookVerdict): EmqxAnswer {
  return { result: verdict.kind === 'allowed' ? 'allow' : 'deny' };
}

export function verneMqAnswer(verdict: HookVerdict): VerneMqAnswer {
  return { result: verdict.kind === 'allowed' ? 'ok' : { error: 'not_allowed' } };
}
