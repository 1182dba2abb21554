/** A channel as it stands in its form, and what is wrong with it. Pure. */
import type { AlertChannel, AlertChannelRequest, AlertTarget } from '#protocol/model/alert.ts';

export type ChannelDraft = {
  readonly name: string;
  readonly kind: AlertTarget['kind'];
  readonly url: string;
  /** As the server shows the address that is there: left alone, it stays. Empty: there is none. */
  readonly knownUrl: string;
  /** The webhook's secret, ntfy's token or the mail server's password; empty: none, or the one that is there. */
  readonly secret: string;
  readonly host: string;
  readonly port: string;
  readonly secure: boolean;
  readonly from: string;
  /** One address or several, with commas or spaces between. */
  readonly to: string;
  readonly user: string;
};

export type ChannelField = 'name' | 'url' | 'host' | 'port' | 'from' | 'to';
export type CheckedChannel =
  | { readonly kind: 'channel'; readonly channel: AlertChannelRequest }
  | { readonly kind: 'problems'; readonly problems: { readonly [F in ChannelField]?: string } };

export const kindWords: { readonly [K in AlertTarget['kind']]: string } = { webhook: 'Webhook', ntfy: 'ntfy', email: 'E-mail' };
export const secretWords: { readonly [K in AlertTarget['kind']]: string } = { webhook: 'Secret', ntfy: 'Access token', email: 'Password' };

export const emptyChannel: ChannelDraft = {
  name: '',
  kind: 'webhook',
  url: '',
  knownUrl: '',
  secret: '',
  host: '',
  port: '587',
  secure: false,
  from: '',
  to: '',
  user: '',
};

export function draftOfChannel({ name, target }: AlertChannel): ChannelDraft {
  const known = { ...emptyChannel, name, kind: target.kind };
  if (target.kind !== 'email') return { ...known, url: target.url, knownUrl: target.url };
  const { host, port, secure, from, to, user = '' } = target;
  return { ...known, host, port: String(port), secure, from, to: to.join(', '), user };
}

/** Where it tells, in one line. */
export function targetWords(target: AlertTarget): string {
  return target.kind === 'email' ? `${target.to.join(', ')} by ${target.host}` : target.url;
}

const httpAddress = /^https?:\/\/\S+$/;
const mailAddress = /^[^\s@<>,;:"]+@[^\s@<>,;:"]+$/;
const hostName = /^[A-Za-z0-9.:-]+$/;

export function checkChannel(draft: ChannelDraft): CheckedChannel {
  const problems: { [F in ChannelField]?: string } = {};
  const to = draft.to.split(/[\s,;]+/).filter((address) => address !== '');
  const port = Number(draft.port);
  if (draft.name.trim() === '') problems.name = 'Give it a name.';
  if (draft.kind === 'email') {
    if (!hostName.test(draft.host)) problems.host = 'The name of a mail server, such as mail.example.org.';
    if (!Number.isInteger(port) || port < 1 || port > 65_535) problems.port = 'From 1 to 65535.';
    if (!mailAddress.test(draft.from)) problems.from = 'One address, such as alerts@example.org.';
    if (to.length === 0 || to.length > 20 || !to.every((address) => mailAddress.test(address))) {
      problems.to = 'One to 20 addresses, such as ada@example.org.';
    }
  } else if (draft.url.includes('…') && draft.url !== draft.knownUrl) {
    problems.url = 'The whole address: of the one that is there only the beginning is shown.';
  } else if (!httpAddress.test(draft.url)) {
    problems.url = 'An address that begins with https:// or http://.';
  }
  if (Object.keys(problems).length > 0) return { kind: 'problems', problems };
  return { kind: 'channel', channel: { name: draft.name.trim(), target: targetOf(draft, to, port) } };
}

function targetOf({ kind, url, secret, host, secure, from, user }: ChannelDraft, to: string[], port: number): AlertTarget {
  switch (kind) {
    case 'webhook':
      return { kind, url, ...(secret === '' ? {} : { secret }) };
    case 'ntfy':
      return { kind, url, ...(secret === '' ? {} : { token: secret }) };
    case 'email':
      return { kind, host, port, secure, from, to, ...(user === '' ? {} : { user }), ...(secret === '' ? {} : { password: secret }) };
    default:
      return kind satisfies never;
  }
}
