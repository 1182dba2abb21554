import { describe, expect, test } from 'vitest';
import { parseAgentReady, parseFleetServerReady, parseKnownAnswer, welcomeLines } from '#setup/announcement.ts';

const agent = { kind: 'ready', deviceId: 'd-abc123', source: 'the test picture: no camera was found' } as const;
const playback = { kind: 'playback', rtmp: 'rtmp://127.0.0.1:1935/live/d-abc123?ticket=t' } as const;

describe('the welcome', () => {
  test('says where to look, how to sign in, what is on air and the stream’s address', () => {
    const text = welcomeLines({ kind: 'ready', url: 'http://127.0.0.1:8080', firstAdminPassword: 'made-for-you' }, agent, playback).join(
      '\n',
    );
    for (const part of ['http://127.0.0.1:8080', 'admin', 'made-for-you', 'test picture', playback.rtmp]) expect(text).toContain(part);
  });
  test('after the first start names the way to a new password', () => {
    const text = welcomeLines({ kind: 'ready', url: 'http://127.0.0.1:8080' }, agent, playback).join('\n');
    expect(text).toContain('npm run admin-password');
  });
});

test('other messages are not mistaken for an announcement', () => {
  for (const message of [null, 'ready', {}, { kind: 'ready' }, { kind: 'other', url: 'x' }]) {
    expect(parseFleetServerReady(message)).toBeUndefined();
    expect(parseAgentReady(message)).toBeUndefined();
    expect(parseKnownAnswer(message)).toBeUndefined();
  }
});
