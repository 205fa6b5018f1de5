import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { fingerprint } from '../../src/tuning/fingerprint.js';

it('is the beginning of SHA-256 of the texts as JSON', () => {
  const texts = ['fn main() {}', 'größer', ''];
  const digest = createHash('sha256').update(JSON.stringify(texts)).digest('hex');
  expect(fingerprint(texts)).toBe(digest.slice(0, 16));
});

it('tells where one text ends and the next begins', () => {
  expect(fingerprint(['ab', 'c'])).not.toBe(fingerprint(['a', 'bc']));
  expect(fingerprint(['a', ''])).not.toBe(fingerprint(['a']));
});
