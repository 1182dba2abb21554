import { expect, test } from 'vitest';
import {
  correction,
  deviceAcls,
  deviceRole,
  groundwork,
  markPrefix,
  serverAcls,
  serverRole,
} from '#fleet-server/broker/external/dynamic-security-plan.ts';
import { downwardTopics, isServerTopicAllowed, isTopicAllowed, serverSubscriptions, topicFor, upwardTopics } from '#protocol/topics.ts';

const names = [...Object.keys(upwardTopics), ...Object.keys(downwardTopics)] as (keyof typeof upwardTopics)[];

test('a device’s role allows what the one function allows, and nothing else', () => {
  const acls = deviceAcls('pi-1');
  const allows = (acltype: string, topic: string) => acls.some((acl) => acl.acltype === acltype && acl.topic === topic);
  for (const deviceId of ['pi-1', 'pi-2']) {
    for (const name of names) {
      const topic = topicFor(deviceId, name);
      expect(allows('publishClientSend', topic), topic).toBe(isTopicAllowed('pi-1', 'publish', topic));
      expect(allows('subscribeLiteral', topic), topic).toBe(isTopicAllowed('pi-1', 'subscribe', topic));
      expect(allows('publishClientReceive', topic), topic).toBe(isTopicAllowed('pi-1', 'subscribe', topic));
    }
  }
  expect(acls.filter(({ topic }) => /[+#$%]/.test(topic))).toEqual([]);
});

test('the servers’ role lets them subscribe to just what they do', () => {
  const subscribed = serverAcls().flatMap(({ acltype, topic }) => (acltype === 'subscribeLiteral' ? [topic] : []));
  expect(subscribed).toEqual(serverSubscriptions());
  expect(subscribed.every((topic) => isServerTopicAllowed('subscribe', topic))).toBe(true);
});

const server = { username: 'fleet', password: 'x', mark: `${markPrefix}now` };
const commandsFor = (client: { mark: string; roles: string[] } | null) =>
  groundwork(server, { client, hasRole: true }).map(({ command }) => command);

test.each([
  ['none yet', null, ['createClient']],
  ['ours, as it should be', { mark: server.mark, roles: [serverRole] }, []],
  ['ours, with another password', { mark: `${markPrefix}before`, roles: [serverRole] }, ['modifyClient']],
  ['somebody else’s', { mark: 'made by hand', roles: ['other'] }, ['addClientRole']],
  ['somebody else’s, with the role', { mark: '', roles: [serverRole] }, []],
])('the client of the servers is touched only where it must be: %s', (_name, client, expected) => {
  expect(commandsFor(client)).toEqual(['setDefaultACLAccess', 'modifyRole', ...expected]);
});

test('a role is corrected only where it allows something else', () => {
  const acls = deviceAcls('pi-1');
  const [first, ...rest] = acls;
  if (first === undefined) throw new Error('expected a role that allows something');
  expect(correction('pi-1', acls.toReversed())).toEqual([]);
  for (const held of [rest, [...acls, { ...first, topic: '#' }], [{ ...first, allow: false }, ...rest]]) {
    expect(correction('pi-1', held)).toEqual([{ command: 'modifyRole', rolename: deviceRole('pi-1'), acls }]);
  }
});
