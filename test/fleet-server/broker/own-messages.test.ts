import { expect, test } from 'vitest';
import { OwnMessages } from '#fleet-server/broker/own-messages.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('what the broker tells itself reaches whoever listens, and is done when all of them are', async () => {
  const messages = new OwnMessages();
  const heard: string[] = [];
  const holding: (() => void)[] = [];
  const listener = ({ topic }: { readonly topic: string }, done: () => void) => {
    heard.push(topic);
    holding.push(done);
  };
  messages.on('$SYS/+/new/clients', listener);
  messages.on('$SYS/+/heartbeat', (_message, done) => done());
  let isDone = false;
  messages.emit({ topic: '$SYS/broker-1/new/clients' }, () => {
    isDone = true;
  });
  messages.emit({ topic: '$SYS/broker-1/new/clients/more' }, () => {});
  await turn();
  expect([heard, isDone]).toEqual([['$SYS/broker-1/new/clients'], false]);
  for (const done of holding) done();
  expect(isDone).toBe(true);
  messages.removeListener('$SYS/+/new/clients', listener);
  messages.emit({ topic: '$SYS/broker-1/new/clients' }, () => {});
  expect(heard).toHaveLength(1);
});

test('nobody is found for the topics of devices, whoever asks for them', async () => {
  const messages = new OwnMessages();
  const heard: string[] = [];
  await new Promise<void>((resolve) => messages.on('msl/v1/d/one/desired', ({ topic }) => heard.push(topic), resolve));
  await new Promise<void>((resolve) => messages.emit({ topic: 'msl/v1/d/one/desired' }, () => resolve()));
  expect(heard).toEqual([]);
});

test('after its end it says so', () => {
  const messages = new OwnMessages();
  messages.close(() => {});
  let error: Error | undefined;
  messages.emit({ topic: '$SYS/a/heartbeat' }, (said) => {
    error = said;
  });
  expect(error).toBeInstanceOf(Error);
});
