import { describe, expect, it } from 'vitest';
import { lookUp } from '../../src/engine/lookup.js';

describe('lookUp', () => {
  it.each([
    ['nothing that came before', [1, 2, 3], 1, 2, []],
    ['what followed the last token', [5, 6, 7, 5], 1, 2, [6, 7]],
    ['what followed latest', [5, 6, 5, 7, 5], 1, 1, [7]],
    ['no more than there is', [5, 6, 5], 1, 9, [6, 5]],
    ['only where all agree', [1, 2, 3, 9, 2, 8, 1, 2], 2, 3, [3, 9, 2]],
    ['through a run of one token', [4, 4, 4, 4], 2, 3, [4]],
    ['nothing from a text too short', [1], 2, 3, []],
  ])('guesses %s', (_, ids, lookup, tokens, guesses) => expect(lookUp(ids, { lookup, tokens })).toEqual(guesses));
});
