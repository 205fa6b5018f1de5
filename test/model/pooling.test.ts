import { describe, expect, it } from 'vitest';
import type { ModelFolder } from '../../src/checkpoint/source.js';
import { poolingAsked, readPooling } from '../../src/model/pooling.js';

/** A folder of texts, with folders inside by their paths. */
function folderOf(files: Readonly<Record<string, unknown>>): ModelFolder {
  const within = (prefix: string): ModelFolder => ({
    name: prefix,
    open: () => Promise.resolve(undefined),
    readText: (file) => {
      const value = files[prefix + file];
      return Promise.resolve(value === undefined ? undefined : JSON.stringify(value));
    },
    within: (folder) => Promise.resolve(within(`${prefix}${folder}/`)),
  });
  return within('');
}

const module = (type: string, path = ''): object => ({ type: `sentence_transformers.models.${type}`, path });
const POOLED = [module('Transformer'), module('Pooling', '1_Pooling')];

/** A folder with this pooling, and one module more where it is given. */
const read = (pooling: object | undefined, ...more: object[]) =>
  readPooling(folderOf({ 'modules.json': [...POOLED, ...more], '1_Pooling/config.json': pooling }));

describe('how a folder of sentence-transformers pools', () => {
  it('is the mean or the last row, of length 1 where it is normalised', async () => {
    const modes = { pooling_mode_cls_token: false, pooling_mode_mean_tokens: true, word_embedding_dimension: 8 };
    expect(await read(modes)).toEqual({ pooling: 'mean', normalize: false });
    const last = { pooling_mode_lasttoken: true, pooling_mode_mean_tokens: false };
    expect(await read(last, module('Normalize', '2_Normalize'))).toEqual({ pooling: 'last', normalize: true });
    expect(await read({ pooling_mode: 'mean' })).toEqual({ pooling: 'mean', normalize: false });
    expect(await readPooling(folderOf({}))).toBeUndefined();
  });

  it('is told by name where it is another', async () => {
    const file = '1_Pooling/config.json';
    const mean = { pooling_mode_mean_tokens: true };
    expect(await read({ pooling_mode_cls_token: true })).toEqual({ unsupported: `pooling_mode_cls_token in ${file}` });
    expect(await read({ ...mean, pooling_mode_max_tokens: true })).toEqual({
      unsupported: `pooling_mode_mean_tokens with pooling_mode_max_tokens in ${file}`,
    });
    expect(await read(undefined)).toEqual({ unsupported: `pooling without ${file}` });
    expect(await read(mean, module('Dense', '2_Dense'))).toEqual({ unsupported: 'module Dense of modules.json' });
    const outside = [module('Pooling', '../elsewhere')];
    expect(await readPooling(folderOf({ 'modules.json': outside }))).toEqual({
      unsupported: '"path" of a module in modules.json',
    });
    expect(await readPooling(folderOf({ 'modules.json': [] }))).toEqual({
      unsupported: 'modules.json without a module Pooling',
    });
  });

  it('gives way to what is asked for', () => {
    const own = { pooling: 'mean', normalize: false } as const;
    expect(poolingAsked(own, undefined)).toBe(own);
    expect(poolingAsked(own, 'last')).toEqual({ pooling: 'last', normalize: false });
    expect(poolingAsked({ unsupported: 'x' }, 'last')).toEqual({ pooling: 'last', normalize: true });
    expect(poolingAsked(undefined, 'mean')).toEqual({ pooling: 'mean', normalize: true });
  });
});
