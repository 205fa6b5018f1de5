import { describe, expect, it } from 'vitest';
import { endIds, idsOf } from '../../src/model/end-ids.js';

describe('endIds', () => {
  const config = (eosTokenIds: number[]): { eosTokenIds: number[]; vocab: number } => ({ eosTokenIds, vocab: 100 });

  it.each([
    ['all agree', [2], [2], [2], [2]],
    ['only the tokenizer names one', [], [], [7], [7]],
    ['only config.json does', [3], [], [], [3]],
    ['a fine-tune’s tokenizer names another', [2], [2], [5], [2, 5]],
    ['the tokenizer’s files name two', [2], [], [5, 6], [2, 5, 6]],
    ['lists differ', [2, 4], [9, 2], [4], [9, 2, 4]],
    ['an id beyond the vocabulary is none', [100, 2], [], [200], [2]],
    ['nobody names one', [], [], [], []],
  ])('%s', (_, ofConfig, ofGeneration, eosTokenIds, expected) => {
    expect(endIds(config(ofConfig), ofGeneration, { eosTokenIds })).toEqual(expected);
  });

  it('does without a tokenizer', () => {
    expect(endIds(config([2]), [], undefined)).toEqual([2]);
  });
});

describe('idsOf', () => {
  it.each<[unknown, number[]]>([
    [2, [2]],
    [
      [128001, 128009, 'x', -1, 1.5],
      [128001, 128009],
    ],
    [null, []],
    ['2', []],
  ])('of %j are %j', (value, ids) => {
    expect(idsOf({ eos_token_id: value }, 'eos_token_id')).toEqual(ids);
  });

  it('are none in a file that is absent or no object', () => {
    for (const json of [undefined, null, 3, 'x', {}]) expect(idsOf(json, 'eos_token_id')).toEqual([]);
  });
});
