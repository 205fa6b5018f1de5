import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ModelFacts } from '../../src/engine/api.js';
import { startEngine } from '../../src/engine/start.js';
import { RidgepointError } from '../../src/errors.js';
import { nodeHost } from '../../src/platform/node/host.js';
import { packageRoot } from '../../src/platform/node/package-root.js';
import { MemoryFolder } from '../checkpoint/support.js';
import { adapter, checkpointFile, refusal, TINY, tinyTensors } from './support.js';

const tokenizer = readFileSync(join(packageRoot(), 'models', 'tiny-tales', 'tokenizer.json'), 'utf8');
const FILES = { 'tokenizer.json': tokenizer, 'model.safetensors': checkpointFile(tinyTensors()) };

/** Whoever asks for a model may find that it does not do. */
const refuse = ({ model, hasTokenizer, hasChatTemplate, whyNoText }: ModelFacts): never => {
  throw new RidgepointError('usage', [model, hasTokenizer, hasChatTemplate, whyNoText].join(' '));
};

it.each<[string, object, Record<string, string>, object, RegExp]>([
  [
    'an architecture',
    { architectures: ['GemmaForCausalLM'] },
    {},
    {},
    /architecture GemmaForCausalLM is not supported/,
  ],
  ['a key', { attention_bias: true }, {}, {}, /projections with a bias are not supported/],
  ['a quantisation', { quantization_config: { quant_method: 'fp8' } }, {}, {}, /of method "fp8"/],
  ['bits that are asked for besides those it has', { quantization_config: { quant_method: 'gptq', bits: 3 } }, {}, {}, /"bits" must be 4 or 8/], // prettier-ignore
  ['a tokenizer that is damaged', {}, { 'tokenizer.json': '{"model":' }, {}, /^tokenizer.json: is not valid JSON/],
  ['a tokenizer of another kind', {}, { 'tokenizer.json': '{"version":"1.0","model":{"type":"Wizard"}}' }, {}, /^tokenizer.json: /], // prettier-ignore
  ['a tokenizer’s settings', {}, { 'tokenizer_config.json': 'version https://git-lfs.github.com/spec/v1\n' }, {}, /^tokenizer_config.json: is a pointer of Git LFS/], // prettier-ignore
  ['generation defaults', {}, { 'generation_config.json': '<!doctype html>' }, {}, /^generation_config.json: is a web/],
  ['an option', {}, {}, { contextLength: 129 }, /contextLength 129 is more than the 128 positions/],
  ['what it is wanted for', { architectures: ['LlamaModel'] }, {}, { onModel: refuse }, /^tiny true false tiny was saved without lm_head/], // prettier-ignore
  ['a format', {}, {}, { activations: 'int8' }, /activations in int8 need weights in int8/],
])('%s that does not do is told of before any weight is opened', async (_, config, files, options, message) => {
  const folder = new MemoryFolder({ ...FILES, ...files });
  const found = { name: 'tiny', folder, config: { ...TINY, ...config }, configName: 'config.json' };
  const host = { ...nodeHost, openModel: () => Promise.resolve(found) };
  const code = Object.keys(options).length > 0 ? 'usage' : 'checkpoint';
  const start = (): Promise<unknown> => startEngine({ adapter, ...options }, host);
  expect(await refusal(code, start)).toMatch(message);
  expect(folder.opened).toEqual([]);
});
