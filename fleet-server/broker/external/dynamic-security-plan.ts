/**
 * What mosquitto's dynamic security is told: pure. Each device has a role of its own, because the plugin of mosquitto 2.0 knows no `%c` or
 * `%u` in a role's topics.
 *
 * INVARIANTS
 * - A role allows exactly what `isTopicAllowed` allows (protocol/topics.ts): each topic spelled out, no wildcard. What no role allows is refused.
 * - Clients and roles of other names are left alone.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  type DownwardTopic,
  downwardTopics,
  serverSubscriptions,
  topicFor,
  topicOfAllDevices,
  type UpwardTopic,
  upwardTopics,
} from '#protocol/topics.ts';

type AclType = 'publishClientSend' | 'publishClientReceive' | 'subscribe' | 'subscribeLiteral' | 'unsubscribeLiteral';
type Acl = { readonly acltype: AclType; readonly topic: string; readonly allow: true };
type HeldAcl = { readonly acltype: string; readonly topic: string; readonly allow: boolean };
export type DynamicSecurityCommand = { readonly command: string; readonly [field: string]: unknown };

/** In the description of a client: which credential it was given, as a keyed hash that opens nothing. */
export type CredentialMark = string;

/** What every mark begins with. */
export const markPrefix = 'makespacelive ';
const devicePrefix = 'makespacelive-device-';
export const serverRole = 'makespacelive-server';
const upward = Object.keys(upwardTopics) as UpwardTopic[];
const downward = Object.keys(downwardTopics) as DownwardTopic[];

export function deviceRole(deviceId: string): string {
  return `${devicePrefix}${deviceId}`;
}

export function deviceOfRole(rolename: string): string | undefined {
  return rolename.startsWith(devicePrefix) ? rolename.slice(devicePrefix.length) : undefined;
}

const allow = (acltype: AclType, topics: readonly string[]): Acl[] => topics.map((topic) => ({ acltype, topic, allow: true }));

export function deviceAcls(deviceId: string): Acl[] {
  const written = upward.map((name) => topicFor(deviceId, name));
  const read = downward.map((name) => topicFor(deviceId, name));
  return [...allow('publishClientSend', written), ...allow('subscribeLiteral', read), ...allow('publishClientReceive', read)];
}

export function serverAcls(): Acl[] {
  const heard = upward.map(topicOfAllDevices);
  return [
    ...allow('publishClientSend', downward.map(topicOfAllDevices)),
    ...allow('subscribeLiteral', serverSubscriptions()),
    ...allow('publishClientReceive', heard),
  ];
}

export type ServerClient = { readonly username: string; readonly password: string; readonly mark: CredentialMark };
type Found = { readonly client: { readonly mark: string; readonly roles: readonly string[] } | null; readonly hasRole: boolean };

/** Before anything else: what no role allows is refused, and the client of the servers may do its work. */
export function groundwork(server: ServerClient, found: Found): DynamicSecurityCommand[] {
  return [
    {
      command: 'setDefaultACLAccess',
      acls: (['publishClientSend', 'publishClientReceive', 'subscribe'] as const).map((acltype) => ({ acltype, allow: false })),
    },
    { command: found.hasRole ? 'modifyRole' : 'createRole', rolename: serverRole, acls: serverAcls() },
    ...serverClient(server, found),
  ];
}

/** A change cuts the connections of all servers: only where something is wrong. The password of a client that somebody else made stays. */
function serverClient({ username, password, mark }: ServerClient, { client }: Found): DynamicSecurityCommand[] {
  const roles = [{ rolename: serverRole }];
  if (client === null) return [{ command: 'createClient', username, password, textdescription: mark, roles }];
  const isOurs = client.mark.startsWith(markPrefix);
  if (isOurs && client.mark !== mark) return [{ command: 'modifyClient', username, password, textdescription: mark, roles }];
  return client.roles.includes(serverRole) ? [] : [{ command: 'addClientRole', username, rolename: serverRole }];
}

/** The device's client with this credential, whatever is there already. A change cuts its connection, if there is one. */
export function admission(
  deviceId: string,
  credential: string,
  mark: CredentialMark,
  known: { readonly hasRole: boolean; readonly hasClient: boolean },
): DynamicSecurityCommand[] {
  const client = {
    username: deviceId,
    clientid: deviceId,
    password: credential,
    textdescription: mark,
    roles: [{ rolename: deviceRole(deviceId) }],
  };
  return [
    { command: known.hasRole ? 'modifyRole' : 'createRole', rolename: deviceRole(deviceId), acls: deviceAcls(deviceId) },
    { command: known.hasClient ? 'modifyClient' : 'createClient', ...client },
  ];
}

/** A role that an older or newer fleet server made, or somebody by hand. Cuts no connection. */
export function correction(deviceId: string, held: readonly HeldAcl[]): DynamicSecurityCommand[] {
  const spelled = (acls: readonly HeldAcl[]) => acls.map(({ acltype, topic, allow }) => `${acltype} ${topic} ${allow}`).sort();
  const acls = deviceAcls(deviceId);
  if (isDeepStrictEqual(spelled(held), spelled(acls))) return [];
  return [{ command: 'modifyRole', rolename: deviceRole(deviceId), acls }];
}

/** The client goes first: its connection ends with it. */
export function revocation(deviceId: string): DynamicSecurityCommand[] {
  return [
    { command: 'deleteClient', username: deviceId },
    { command: 'deleteRole', rolename: deviceRole(deviceId) },
  ];
}

/** Its connection ends, and it may come again. In one message: mosquitto is never left with the first alone. */
export function interruption(deviceId: string): DynamicSecurityCommand[] {
  return [
    { command: 'disableClient', username: deviceId },
    { command: 'enableClient', username: deviceId },
  ];
}
