/**
 * Every topic, spelled here and nowhere else, and the one function that decides who may use it.
 *
 * INVARIANTS
 * - A device writes only its own upward topics and reads only its own downward ones; no wildcard, its will included.
 * - A topic that is not in these tables belongs to nobody.
 */
import { isDeviceId } from '#protocol/identifiers.ts';

const prefix = 'msl/v1/d/';

/** From the device to the fleet server, with the quality of service each is sent at and its limit in bytes. */
export const upwardTopics = {
  presence: { qos: 1, maxBytes: 65_536 },
  hello: { qos: 1, maxBytes: 65_536 },
  report: { qos: 1, maxBytes: 65_536 },
  health: { qos: 0, maxBytes: 65_536 },
  'health-backlog': { qos: 1, maxBytes: 65_536 },
  event: { qos: 1, maxBytes: 65_536 },
  preview: { qos: 0, maxBytes: 262_144 },
  snapshot: { qos: 1, maxBytes: 262_144 },
  log: { qos: 0, maxBytes: 65_536 },
  applied: { qos: 1, maxBytes: 65_536 },
  'command-progress': { qos: 0, maxBytes: 65_536 },
  'command-result': { qos: 1, maxBytes: 65_536 },
} as const satisfies Record<string, { qos: 0 | 1; maxBytes: number }>;

/** From the fleet server to the device. */
export const downwardTopics = {
  desired: { qos: 1, maxBytes: 65_536 },
  command: { qos: 1, maxBytes: 65_536 },
  'event-ack': { qos: 1, maxBytes: 65_536 },
} as const satisfies Record<string, { qos: 0 | 1; maxBytes: number }>;

export type UpwardTopic = keyof typeof upwardTopics;
export type DownwardTopic = keyof typeof downwardTopics;

/** The largest packet of MQTT that either side has reason to send: the largest payload, its topic and its header. */
export const maxPacketBytes = 262_144 + 512;

export type ParsedTopic =
  | { readonly way: 'up'; readonly deviceId: string; readonly name: UpwardTopic }
  | { readonly way: 'down'; readonly deviceId: string; readonly name: DownwardTopic };

export function topicFor(deviceId: string, name: UpwardTopic | DownwardTopic): string {
  return `${prefix}${deviceId}/${name}`;
}

/** What all devices write under one name: for servers, at a broker that is not in their own process. */
export function topicOfAllDevices(name: UpwardTopic | DownwardTopic): string {
  return `${prefix}+/${name}`;
}

const shareGroup = 'makespacelive';

/** The same, each message to one of the servers that subscribe (MQTT 5, section 4.8.2; mosquitto takes it from 3.1.1 clients too). */
export function sharedTopic(name: UpwardTopic): string {
  return `$share/${shareGroup}/${topicOfAllDevices(name)}`;
}

/** Log lines are few and short-lived: every server hears them, so that each can show them. All else is dealt with by one. */
export function isHeardByAllServers(name: UpwardTopic): boolean {
  return name === 'log';
}

/** The filters that a fleet server subscribes to. Upward names only: servers do not hear each other. */
export function serverSubscriptions(): string[] {
  const names = Object.keys(upwardTopics) as UpwardTopic[];
  return names.map((name) => (isHeardByAllServers(name) ? topicOfAllDevices(name) : sharedTopic(name)));
}

/** The name of an upward topic of just this device; undefined: it is any other topic. As `parseTopic`, without making anything of the parts. */
export function ownUpwardTopic(deviceId: string, topic: string): UpwardTopic | undefined {
  const nameAt = prefix.length + deviceId.length + 1;
  if (!topic.startsWith(prefix) || !topic.startsWith(deviceId, prefix.length) || topic[nameAt - 1] !== '/') return undefined;
  const name = topic.slice(nameAt);
  return Object.hasOwn(upwardTopics, name) ? (name as UpwardTopic) : undefined;
}

export function parseTopic(topic: string): ParsedTopic | undefined {
  if (!topic.startsWith(prefix)) return undefined;
  const [deviceId, name, ...rest] = topic.slice(prefix.length).split('/');
  if (deviceId === undefined || name === undefined || rest.length > 0 || !isDeviceId(deviceId)) return undefined;
  if (Object.hasOwn(upwardTopics, name)) return { way: 'up', deviceId, name: name as UpwardTopic };
  if (Object.hasOwn(downwardTopics, name)) return { way: 'down', deviceId, name: name as DownwardTopic };
  return undefined;
}

/** Whether a fleet server, as a client of a broker, may publish to a topic or subscribe to a filter; brokers ask with or without `$share/…/`. */
export function isServerTopicAllowed(action: 'publish' | 'subscribe', topic: string): boolean {
  if (action === 'publish') return parseTopic(topic)?.way === 'down';
  const names = Object.keys(upwardTopics) as UpwardTopic[];
  return serverSubscriptions().includes(topic) || names.some((name) => topicOfAllDevices(name) === topic);
}

/** Whether the device that authenticated as `deviceId` may publish to, or subscribe to, `topic`. */
export function isTopicAllowed(deviceId: string, action: 'publish' | 'subscribe', topic: string): boolean {
  const parsed = parseTopic(topic);
  if (parsed === undefined || parsed.deviceId !== deviceId) return false;
  return parsed.way === (action === 'publish' ? 'up' : 'down');
}
