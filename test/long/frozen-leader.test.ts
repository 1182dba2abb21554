/** A fleet server that is stopped in the middle of its work, and goes on later. */
import { expect, onTestFinished, test } from 'vitest';
import { leaderLine, type OneServer, ServersUnderTest } from '../fleet-server/servers/servers-under-test.ts';
import { timeUntil, until } from '../until.ts';

test('a leader that is frozen is replaced within seconds, and when it wakes it does not lead', async () => {
  const fleet = await ServersUnderTest.start(2);
  onTestFinished(() => fleet.remove());
  const leads = ({ running }: OneServer) => running.output().includes(leaderLine);
  const leader = await until('a leader', 10_000, () => fleet.servers.find(leads));
  const other = fleet.servers.find((server) => server !== leader) as OneServer;
  const { child, output } = leader.running;
  child.kill('SIGSTOP');
  onTestFinished(() => void child.kill('SIGCONT'));
  console.info(`the lead went over after ${await timeUntil('another leader', 20_000, () => leads(other))} ms`);
  const before = output().length;
  child.kill('SIGCONT');
  await until('it notices', 10_000, () => output().slice(before).includes('the connection for messages between fleet servers was lost'));
  // It is one of the two again, and does not take the lead back.
  await until('it answers', 10_000, async () => (await leader.request('GET', '/devices')).status === 200);
  expect(output().split(leaderLine)).toHaveLength(2);
  expect(other.running.output().split(leaderLine)).toHaveLength(2);
});
