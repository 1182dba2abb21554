/** Tells one notice to one target. Rejects with why it was not taken; never with a secret. */
import { createHmac } from 'node:crypto';
import { createTransport } from 'nodemailer';
import type { AlertNotice, AlertTarget } from '#protocol/model/alert.ts';

const answerMs = 10_000;

export async function tellTarget(target: AlertTarget, notice: AlertNotice): Promise<void> {
  switch (target.kind) {
    case 'webhook':
      return tellWebhook(target, notice);
    case 'ntfy':
      return tellNtfy(target, notice);
    case 'email':
      return tellByMail(target, notice);
    default:
      return target satisfies never;
  }
}

type Target<K extends AlertTarget['kind']> = Extract<AlertTarget, { kind: K }>;

async function tellWebhook({ url, secret }: Target<'webhook'>, notice: AlertNotice): Promise<void> {
  const body = JSON.stringify(notice);
  const signature = secret === undefined ? undefined : `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  await post(url, body, {
    'content-type': 'application/json',
    // The same for each attempt, so that a receiver can tell a repetition.
    'idempotency-key': `${notice.alert.id} ${notice.event}`,
    ...(signature === undefined ? {} : { 'x-makespacelive-signature': signature }),
  });
}

const priorities = { info: '2', warning: '3', critical: '5' } as const;
const tags = { opened: 'rotating_light', escalated: 'rotating_light', resolved: 'white_check_mark', test: 'wave' } as const;

/** Headers as in https://docs.ntfy.sh/publish/; in RFC 2047 where they are not ASCII. */
async function tellNtfy({ url, token }: Target<'ntfy'>, notice: AlertNotice): Promise<void> {
  const { alert, event } = notice;
  await post(url, alert.detail === '' ? alert.title : alert.detail, {
    title: headerText(headline(notice)),
    priority: event === 'resolved' ? '2' : priorities[alert.severity],
    tags: tags[event],
    ...(notice.url === null ? {} : { click: notice.url }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  });
}

async function tellByMail(target: Target<'email'>, notice: AlertNotice): Promise<void> {
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
    await transport.sendMail({ from, to: [...to], subject: headline(notice), text: mailText(notice) });
  } finally {
    transport.close();
  }
}

function mailText({ alert, url }: AlertNotice): string {
  const times = [`Since: ${alert.openedAt}`, ...(alert.resolvedAt === null ? [] : [`Until: ${alert.resolvedAt}`])];
  return [alert.title, alert.detail, '', ...times, `Rule: ${alert.ruleName}`, ...(url === null ? [] : ['', url]), ''].join('\n');
}

function headline({ alert, event }: AlertNotice): string {
  const words = { opened: '', escalated: 'Nobody has acknowledged: ', resolved: 'Recovered: ', test: 'Test: ' } as const;
  return `${words[event]}${alert.title}`;
}

function headerText(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`;
}

async function post(url: string, body: string, headers: Readonly<Record<string, string>>): Promise<void> {
  const response = await fetch(url, { method: 'POST', body, headers, redirect: 'error', signal: AbortSignal.timeout(answerMs) }).catch(
    (cause: unknown) => {
      // The address may hold a token: only the reason is told.
      throw new Error(reasonOf(cause));
    },
  );
  await response.body?.cancel();
  if (!response.ok) throw new Error(`expected an answer from 200 to 299, got ${response.status}`);
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'it did not answer';
  if (cause.name === 'TimeoutError') return `expected an answer within ${answerMs / 1000} s, got none`;
  const inner = cause.cause instanceof Error && 'code' in cause.cause ? String(cause.cause.code) : '';
  return inner === '' ? 'it cannot be reached' : `it cannot be reached (${inner})`;
}
