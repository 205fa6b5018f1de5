import { describe, expect, it } from 'vitest';
import { endIds } from '../../src/engine/end-ids.js';

describe('endIds', () => {
  const config = (eosTokenIds: number[]): { eosTokenIds: number[]; vocab: number } => ({ eosTokenIds, vocab: 100 });

  it.each([
    ['all agree', [2], [2], 2, [2]],
    ['only the tokenizer names one', [], [], 7, [7]],
    ['only config.json does', [3], [], undefined, [3]],
    ['a fine-tune’s tokenizer names another', [2], [2], 5, [2, 5]],
    ['lists differ', [2, 4], [9, 2], 4, [9, 2, 4]],
    ['an id beyond the vocabulary is none', [100, 2], [], 200, [2]],
    ['nobody names one', [], [], undefined, []],
  ])('%s', (_, ofConfig, ofGeneration, eosTokenId, expected) => {
    expect(endIds(config(ofConfig), ofGeneration, { eosTokenId })).toEqual(expected);
  });

  it('does without a tokenizer', () => {
    expect(endIds(config([2]), [], undefined)).toEqual([2]);
  });
});
