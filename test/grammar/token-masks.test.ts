import { expect, test } from 'vitest';
import { NEVER, type Expression } from '../../src/grammar/expression.js';
import { TokenMasks } from '../../src/grammar/token-masks.js';
import { vocabularies } from './vocabularies.js';

test('masks that had to be forgotten come out as they were', () => {
  const [, vocabulary] = vocabularies[0];
  const walk = (masks: TokenMasks): Uint32Array[] => {
    const states: Expression[] = [masks.expressions.text('{"a": [1, 2, "b"]}')];
    for (const byte of new TextEncoder().encode('{"a": [1, 2, "b"]}')) {
      const next = masks.expressions.derive(states.at(-1)!, byte);
      expect(next).not.toBe(NEVER);
      states.push(next);
    }
    const seen = [...states, ...states].map((state) => masks.allowed(state));
    expect(seen.slice(0, states.length)).toEqual(seen.slice(states.length));
    return seen;
  };
  const forgetful = walk(new TokenMasks(vocabulary, 0));
  const all = walk(new TokenMasks(vocabulary));
  expect(forgetful).toEqual(all);
  expect(all[0].some((word) => word !== 0)).toBe(true);
  // Kept, a mask is one object; forgotten, it is made twice.
  expect(all[0]).toBe(all[all.length / 2]);
  expect(forgetful[0]).not.toBe(forgetful[all.length / 2]);
});
