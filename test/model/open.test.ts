import { expect, it } from 'vitest';
import { parseGenerationConfig } from '../../src/engine/generation-config.js';
import { describeModel, openModel } from '../../src/model/open.js';
import { MemoryFolder } from '../checkpoint/support.js';
import { TINY } from '../engine/support.js';

const opened = async (eos: unknown) =>
  openModel(
    await describeModel({
      name: 'tiny',
      folder: undefined,
      config: { ...TINY, eos_token_id: eos },
      configName: 'config.json',
    }),
  );

it('says of ids that end a generation which of them no token can have', async () => {
  const vocab = (TINY as { vocab_size: number }).vocab_size;
  const { eosIds, notices } = await opened([2, vocab, vocab + 7]);
  expect(eosIds).toEqual([2]);
  expect(notices).toEqual([
    `tiny: "eos_token_id" ${vocab}, ${vocab + 7} is beyond the model's ${vocab} tokens, so it ends nothing`,
  ]);
  expect((await opened([2])).notices).toEqual([]);
});

const fromFiles = async (files: Record<string, string>, config: object = {}) =>
  openModel(
    await describeModel({
      name: 'tiny',
      folder: new MemoryFolder(files),
      config: { ...TINY, ...config },
      configName: 'config.json',
    }),
  );

it('samples as config.json says where there is no file for that, and says where an odd value stands', async () => {
  const sampled = { do_sample: true, temperature: 0.5, top_k: -7.5, max_length: 20 };
  const { generationConfig, generationName } = await fromFiles({}, sampled);
  const { sampling, maxLength, notices } = parseGenerationConfig(generationConfig, generationName);
  expect(sampling.temperature).toBe(0.5);
  // Every model saved by an old transformers has 20 there, whatever its context.
  expect(maxLength).toBeUndefined();
  expect(notices).toEqual([]);
  const odd = await fromFiles({}, { ...sampled, top_p: 7 });
  expect(parseGenerationConfig(odd.generationConfig, odd.generationName).notices).toEqual([
    expect.stringMatching(/^config.json: ignored, as it is out of range: "top_p" 7, must be/),
  ]);
  const own = await fromFiles({ 'generation_config.json': '{"eos_token_id":2}' }, sampled);
  expect(parseGenerationConfig(own.generationConfig, own.generationName).sampling.temperature).toBe(0);
});

it('says what lies beside a model and would change its answers', async () => {
  expect((await fromFiles({ 'adapter_config.json': '{}', 'adapter_model.safetensors': '' })).notices).toEqual([
    'memory: holds a LoRA adapter (adapter_config.json) beside the model, which is not applied; merge it into the model if its answers are wanted',
  ]);
  expect((await fromFiles({ 'tokenizer.model': '' })).notices).toEqual([
    'memory: holds tokenizer.model but no tokenizer.json, the only kind that is read; open the folder with AutoTokenizer of transformers, and save_pretrained writes one',
  ]);
});
