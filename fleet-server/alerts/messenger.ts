/** Tells one notice, or many as one, to one target. Rejects with why it was not taken; never with a secret. */
import { createHmac } from 'node:crypto';
import { createTransport } from 'nodemailer';
import { unwatchedBecause } from '#fleet-server/alerts/alert-end.ts';
import { digestLines, shortened, worstOf } from '#fleet-server/alerts/digest.ts';
import type { AlertDigest, AlertNotice, AlertTarget } from '#protocol/model/alert.ts';

export const answerMs = 10_000;

/** ntfy makes a file of what is longer (https://docs.ntfy.sh/publish/#limitations). */
const ntfyBytes = 4096;

type Message = AlertNotice | AlertDigest;

/** Of several, some took it and some did not. */
export class PartlyTold extends Error {
  /** Who may take it later. */
  readonly later: readonly string[];

  constructor(message: string, later: readonly string[]) {
    super(message);
    this.later = later;
  }
}

/** `signal`: breaks it off, but for mail, which goes on by itself. */
export async function tellTarget(target: AlertTarget, message: Message, signal?: AbortSignal): Promise<void> {
  switch (target.kind) {
    case 'webhook':
      return tellWebhook(target, message, signal);
    case 'ntfy':
      return tellNtfy(target, message, signal);
    case 'email':
      return tellByMail(target, message);
    default:
      return target satisfies never;
  }
}

type Target<K extends AlertTarget['kind']> = Extract<AlertTarget, { kind: K }>;

async function tellWebhook({ url, secret }: Target<'webhook'>, message: Message, signal?: AbortSignal): Promise<void> {
  const body = JSON.stringify(message);
  const signature = secret === undefined ? undefined : `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  const headers = {
    'content-type': 'application/json',
    // The same for each attempt, so that a receiver can tell a repetition.
    'idempotency-key': message.event === 'digest' ? `${message.id} digest` : `${message.alert.id} ${message.event}`,
    ...(signature === undefined ? {} : { 'x-makespacelive-signature': signature }),
  };
  await post(url, { body, headers, signal });
}

const priorities = { info: '2', warning: '3', critical: '5' } as const;
const tags = { opened: 'rotating_light', escalated: 'rotating_light', resolved: 'white_check_mark', test: 'wave' } as const;
const unwatchedTag = 'mute';

/** Headers as in https://docs.ntfy.sh/publish/; in RFC 2047 where they are not ASCII. */
async function tellNtfy({ url, token }: Target<'ntfy'>, message: Message, signal?: AbortSignal): Promise<void> {
  const { text, priority, tag } = ntfyFormOf(message);
  const headers = {
    title: headerText(headline(message)),
    priority,
    tags: tag,
    ...(message.url === null ? {} : { click: message.url }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  await post(url, { body: text, headers, signal });
}

function ntfyFormOf(message: Message): { readonly text: string; readonly priority: string; readonly tag: string } {
  if (message.event !== 'digest') {
    const { alert, event } = message;
    const priority = event === 'resolved' ? '2' : priorities[alert.severity];
    if (unwatchedBecause(message) !== null) return { text: unwatchedText(message), priority, tag: unwatchedTag };
    return { text: alert.detail === '' ? alert.title : alert.detail, priority, tag: tags[event] };
  }
  const worst = worstOf(message);
  const priority = worst === null ? '2' : priorities[worst];
  return { text: shortened(digestLines(message), ntfyBytes), priority, tag: worst === null ? tags.resolved : tags.opened };
}

async function tellByMail(target: Target<'email'>, message: Message): Promise<void> {
  const { host, port, secure, from, to, user, password } = target;
  const transport = createTransport({
    host,
    port,
    secure,
    connectionTimeout: answerMs,
    greetingTimeout: answerMs,
    socketTimeout: answerMs,
    // Nothing that is not in this message is fetched or read from a file.
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(user === undefined ? {} : { auth: { user, pass: password ?? '' }, requireTLS: !secure }),
  });
  try {
    const { rejectedErrors = [] } = await transport.sendMail({ from, to: [...to], subject: headline(message), text: mailText(message) });
    if (rejectedErrors.length > 0) throw partlyTold(rejectedErrors);
  } finally {
    transport.close();
  }
}

type Refusal = {
  readonly recipient?: string | undefined;
  readonly responseCode?: number | undefined;
  readonly response?: string | undefined;
};

/** The others took it. What a mail server answers from 500 on is for good: https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1 */
function partlyTold(refusals: readonly Refusal[]): PartlyTold {
  const whom = refusals.map(({ recipient = 'somebody', response = 'without a reason' }) => `${recipient} (${response})`);
  const later = refusals.flatMap(({ recipient, responseCode = 0 }) => (recipient === undefined || responseCode >= 500 ? [] : [recipient]));
  return new PartlyTold(`it was taken, but not for ${whom.join(', ')}`, later);
}

function mailText(message: Message): string {
  const { url } = message;
  if (message.event === 'digest') return [...digestLines(message), ...(url === null ? [] : ['', url]), ''].join('\n');
  const { alert } = message;
  const why = unwatchedBecause(message) === null ? [] : [unwatchedText(message)];
  const times = [`Since: ${alert.openedAt}`, ...(alert.resolvedAt === null ? [] : [`Until: ${alert.resolvedAt}`])];
  return [alert.title, ...why, alert.detail, '', ...times, `Rule: ${alert.ruleName}`, ...(url === null ? [] : ['', url]), ''].join('\n');
}

function headline(message: Message): string {
  if (message.event === 'digest') return message.title;
  const { alert, event } = message;
  // It may have waited until somebody had.
  const escalated = alert.acknowledgedBy === null ? 'Nobody has acknowledged: ' : `Acknowledged late, by ${alert.acknowledgedBy}: `;
  const resolved = unwatchedBecause(message) === null ? 'Recovered: ' : 'No longer watched: ';
  const words = { opened: '', escalated, resolved, test: 'Test: ' } as const;
  return `${words[event]}${alert.title}`;
}

function unwatchedText(notice: AlertNotice): string {
  return `This alert is over since ${unwatchedBecause(notice)}: it may not have recovered.`;
}

function headerText(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`;
}

type Post = { readonly body: string; readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal | undefined };

async function post(url: string, { body, headers, signal }: Post): Promise<void> {
  const timeout = AbortSignal.timeout(answerMs);
  const until = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
  const response = await fetch(url, { method: 'POST', body, headers, redirect: 'error', signal: until }).catch((cause: unknown) => {
    // The address may hold a token: only the reason is told.
    throw new Error(reasonOf(cause));
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`expected an answer from 200 to 299, got ${response.status}`);
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'it did not answer';
  if (cause.name === 'TimeoutError') return `expected an answer within ${answerMs / 1000} s, got none`;
  const inner = cause.cause instanceof Error && 'code' in cause.cause ? String(cause.cause.code) : '';
  return inner === '' ? 'it cannot be reached' : `it cannot be reached (${inner})`;
}
