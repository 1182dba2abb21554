import { describe, expect, test } from 'vitest';
import { downwardTopics, isTopicAllowed, parseTopic, topicFor, upwardTopics } from '#protocol/topics.ts';

const own = 'd-abc123';
const up = Object.keys(upwardTopics) as (keyof typeof upwardTopics)[];
const down = Object.keys(downwardTopics) as (keyof typeof downwardTopics)[];

describe('a device', () => {
  test.for(up.map((name) => [name] as const))('writes its own %s and does not read it', ([name]) => {
    expect(isTopicAllowed(own, 'publish', topicFor(own, name))).toBe(true);
    expect(isTopicAllowed(own, 'subscribe', topicFor(own, name))).toBe(false);
  });
  test.for(down.map((name) => [name] as const))('reads its own %s and does not write it', ([name]) => {
    expect(isTopicAllowed(own, 'subscribe', topicFor(own, name))).toBe(true);
    expect(isTopicAllowed(own, 'publish', topicFor(own, name))).toBe(false);
  });
  test.for([
    'msl/v1/d/d-other/desired',
    'msl/v1/d/d-other/health',
    'msl/v1/d/+/desired',
    'msl/v1/d/d-abc123/#',
    'msl/v1/d/d-abc123/+',
    'msl/v1/d/d-abc123/desired/more',
    'msl/v1/d/d-abc123',
    'msl/v1/d//desired',
    'msl/v2/d/d-abc123/desired',
    '#',
    '$SYS/#',
    '$share/x/msl/v1/d/d-abc123/desired',
    'msl/v1/d/d-abc123/toString',
    'msl/v1/d/__proto__/desired',
    '',
  ])('has nothing to do with %j', (topic) => {
    expect(isTopicAllowed(own, 'publish', topic)).toBe(false);
    expect(isTopicAllowed(own, 'subscribe', topic)).toBe(false);
  });
});

test('what is written can be read', () => {
  for (const name of [...up, ...down]) expect(parseTopic(topicFor(own, name))).toMatchObject({ deviceId: own, name });
});
