import { describe, expect, test } from 'vitest';
import { canonicalJson, nextRevision } from '#fleet-server/settings/desired-document.ts';
import { maxRevision } from '#protocol/identifiers.ts';

test('canonical JSON does not depend on the order of keys', () => {
  expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: true })).toBe('{"a":true,"b":[1,{"c":"x","d":null}]}');
  expect(canonicalJson({ a: true, b: [1, { c: 'x', d: null }] })).toBe(canonicalJson({ b: [1, { d: null, c: 'x' }], a: true }));
});

describe('the next revision', () => {
  const stored = { desiredRevision: 5, desiredDigest: 'now' };
  test.each([
    ['the same content', 'now', null, 5],
    ['other content', 'new', null, 6],
    ['a device that is behind', 'now', { revision: 3, digest: 'old' }, 5],
    ['a device that has it', 'now', { revision: 5, digest: 'now' }, 5],
    ['a device that is ahead with the same content', 'now', { revision: 9, digest: 'now' }, 9],
    ['a device that is ahead with other content', 'now', { revision: 9, digest: 'other' }, 10],
    ['a device with the same number and other content', 'now', { revision: 5, digest: 'other' }, 6],
    ['a device without a document', 'now', { revision: 0, digest: null }, 5],
    ['a device that claims the last revision there is', 'now', { revision: maxRevision, digest: 'other' }, maxRevision],
  ])('%s', (_name, digest, claimed, expected) => {
    expect(nextRevision(stored, digest, claimed)).toEqual({ desiredRevision: expected, desiredDigest: digest });
  });
});
