import { describe, expect, test } from 'vitest';
import { changedKeys, patchOfDraft, problemsByKey, withoutSaved } from '#fleet-server/web/settings/form-values.ts';

const own = {
  AV_VIDEO_WIDTH: { kind: 'plain', value: 1280 },
  AV_DISABLE_AUDIO: { kind: 'plain', value: false },
  AV_STREAM_KEY: { kind: 'secret', setAt: null },
} as const;

describe('from what was typed to what is sent', () => {
  test('values get their types, an empty field unsets', () => {
    expect(patchOfDraft({ AV_VIDEO_WIDTH: '', AV_VIDEO_HEIGHT: ' 360 ', AV_DISABLE_AUDIO: '1', AV_VIDEO_SOURCE: 'test' }, own)).toEqual({
      kind: 'patch',
      patch: { AV_VIDEO_WIDTH: null, AV_VIDEO_HEIGHT: 360, AV_DISABLE_AUDIO: true, AV_VIDEO_SOURCE: 'test' },
    });
  });

  test('what was typed back to what it was is no change', () => {
    expect(patchOfDraft({ AV_VIDEO_WIDTH: '1280', AV_DISABLE_AUDIO: '0', AV_VIDEO_HEIGHT: '' }, own)).toEqual({ kind: 'nothing' });
  });

  test('a secret is always a change: nobody can see what is set', () => {
    expect(changedKeys({ AV_STREAM_KEY: 'abc' }, own)).toEqual(['AV_STREAM_KEY']);
    expect(patchOfDraft({ AV_STREAM_KEY: '' }, own)).toEqual({ kind: 'patch', patch: { AV_STREAM_KEY: null } });
  });

  test('one wrong value keeps the others from being sent', () => {
    const result = patchOfDraft({ AV_VIDEO_WIDTH: '99999', AV_VIDEO_HEIGHT: '360' }, own);
    expect(result).toEqual({ kind: 'problems', problems: { AV_VIDEO_WIDTH: 'Expected a whole number from 160 to 3840 (px).' } });
  });
});

test('the server’s words find their field, with a place in front of the key or without', () => {
  const problem = { expected: 'a number', came: '"x"' };
  expect(
    problemsByKey([
      { key: 'AV_VIDEO_WIDTH', ...problem },
      { key: 'body/AV_VIDEO_HEIGHT', ...problem },
      { key: 'else', ...problem },
    ]),
  ).toEqual({
    AV_VIDEO_WIDTH: 'Expected a number.',
    AV_VIDEO_HEIGHT: 'Expected a number.',
  });
});

test('what was typed while saving stays unsaved', () => {
  const saved = { AV_VIDEO_WIDTH: '640', AV_VIDEO_HEIGHT: '360' };
  expect(withoutSaved({ ...saved, AV_VIDEO_HEIGHT: '480', AV_VIDEO_FRAMERATE: '25' }, saved)).toEqual({
    AV_VIDEO_HEIGHT: '480',
    AV_VIDEO_FRAMERATE: '25',
  });
});
