import { describe, expect, test } from 'vitest';
import { checkPicture, decodeDownward, decodeUpward, encodeDownward, encodeUpward } from '#protocol/envelope.ts';

const sentAt = '2026-11-21T12:00:00.000Z';
const session = { bootId: 'b', counter: 1 };
const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

describe('a message', () => {
  test('comes out as it went in', () => {
    const body = { state: 'online', reason: 'connected' } as const;
    const decoded = decodeUpward('presence', bytes(encodeUpward('presence', { session, sequence: 3, sentAt, body })));
    expect(decoded).toEqual({ kind: 'message', envelope: { v: 1, session, sequence: 3, sentAt, body } });
    const down = decodeDownward('event-ack', bytes(encodeDownward('event-ack', { sentAt, body: { upToNumber: 7 } })));
    expect(down).toEqual({ kind: 'message', envelope: { v: 1, sentAt, body: { upToNumber: 7 } } });
  });

  test('with a field of a newer peer is let through', () => {
    const decoded = decodeDownward('event-ack', bytes({ v: 1, sentAt, body: { upToNumber: 7, newer: true }, newer: 1 }));
    expect(decoded.kind).toBe('message');
  });
});

describe('a wrong payload is a named problem', () => {
  test.for([
    ['not-json', ''],
    ['not-json', '{'],
    ['not-json', '{"v":1}x'],
    ['wrong-shape', 'null'],
    ['wrong-shape', '[]'],
    ['wrong-shape', '"text"'],
    ['wrong-shape', { v: 1, sentAt, body: {} }],
    ['wrong-shape', { v: 1, sentAt, body: { upToNumber: '7' } }],
    ['wrong-shape', { v: 1, sentAt, body: { upToNumber: -1 } }],
    ['wrong-shape', { v: 1, sentAt: 'yesterday', body: { upToNumber: 7 } }],
    ['wrong-shape', { v: '1', sentAt, body: { upToNumber: 7 } }],
    ['wrong-version', { v: 2, sentAt, body: { upToNumber: 7 } }],
    ['too-large', ' '.repeat(70_000)],
  ] as const)('%s', ([code, payload]) => {
    const decoded = decodeDownward('event-ack', bytes(payload));
    expect(decoded).toMatchObject({ kind: 'problem', code });
  });

  test('bytes that are not UTF-8', () => {
    expect(decodeDownward('event-ack', Buffer.from([0xff, 0xfe, 0x00]))).toMatchObject({ code: 'not-json' });
  });

  test('never quotes the payload, which may hold a secret', () => {
    for (const payload of ['{"streamKey":"hunter2"', { v: 1, sentAt, body: { streamKey: 'hunter2' } }]) {
      expect(JSON.stringify(decodeDownward('desired', bytes(payload)))).not.toContain('hunter2');
    }
  });
});

test('a preview is a JPEG within its limit', () => {
  expect(checkPicture('preview', Buffer.from([0xff, 0xd8, 0xff, 0xe0]))).toBeUndefined();
  expect(checkPicture('preview', Buffer.from('GIF89a'))).toMatchObject({ code: 'not-a-jpeg' });
  expect(checkPicture('preview', Buffer.alloc(0))).toMatchObject({ code: 'not-a-jpeg' });
  expect(checkPicture('preview', Buffer.alloc(300_000, 0xff))).toMatchObject({ code: 'too-large' });
});
