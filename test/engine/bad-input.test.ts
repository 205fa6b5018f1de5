import { describe, expect, it } from 'vitest';
import type { EngineOptions } from '../../src/engine/api.js';
import { startEngine } from '../../src/engine/start.js';
import type { EngineHost } from '../../src/engine/host.js';
import { Engine } from '../../src/index.js';
import { nodeHost } from '../../src/platform/node/host.js';
import { withHeader, type TensorSpec } from '../checkpoint/support.js';
import { isFull } from '../support/scale.js';
import {
  adapter,
  changedHost,
  checkpointFile,
  reference,
  refusal,
  TINY,
  tinyFolder,
  tinyTensors,
  withEngine,
  writeFolder,
  type Tensors,
} from './support.js';

const UP = 'model.layers.1.mlp.up_proj.weight';
const EMBEDDING = 'model.embed_tokens.weight';
const HEAD = 'lm_head.weight';
const PROMPT = [1, 5, 9, 13, 17];
const GREEDY = { temperature: 0, ignoreEos: true, maxTokens: 12 };

const loading =
  (model: string, options: EngineOptions = {}, host: EngineHost = nodeHost) =>
  async () => {
    const engine = await startEngine({ adapter, model, ...options }, host);
    await engine.dispose();
  };

function changed(change: (tensors: Tensors) => void): Tensors {
  const tensors = tinyTensors();
  change(tensors);
  return tensors;
}

const without = (...names: string[]): Tensors => changed((tensors) => names.forEach((name) => delete tensors[name]));
const put = (name: string, index: number, value: number): Uint8Array =>
  checkpointFile(changed((tensors) => (tensors[name].values[index] = value)));

describe('a model that is not there', () => {
  it('is missed by its path, its name or its files', async () => {
    const empty = writeFolder({});
    expect(await refusal('checkpoint', loading(`${empty}/nowhere`))).toBe(
      `${empty}/nowhere: no such folder; give a folder that holds a config.json`,
    );
    expect(await refusal('checkpoint', loading(empty))).toBe(
      `${empty}: holds no config.json; it is empty; give the folder of a Hugging Face checkpoint`,
    );
    expect(await refusal('usage', loading('no-such-preset'))).toMatch(
      /^model no-such-preset: neither a folder, nor a Hub name \(owner\/name\), nor a preset; presets are llama-2-7b, /,
    );
    const bare = writeFolder({ 'config.json': JSON.stringify(TINY) });
    expect(await refusal('checkpoint', loading(bare))).toMatch(/: has neither model.safetensors nor .*; give a folder/);
  });

  it('is a preset without weights', async () => {
    expect(await refusal('usage', loading('llama-2-7b'))).toBe(
      'llama-2-7b is a preset without weights; load with weights synthetic, or give a folder or a Hub name',
    );
  });

  it('is for an adapter that is not there', async () => {
    const message = await refusal('adapter', () => Engine.load({ adapter: 'Voodoo 2', model: tinyFolder() }));
    expect(message).toMatch(/Voodoo 2/);
  });
});

describe('a damaged folder', () => {
  const good = checkpointFile(tinyTensors());

  it('is refused by its file', async () => {
    expect(await refusal('checkpoint', loading(writeFolder({ 'config.json': '{"a": ' })))).toMatch(
      /config.json: is not valid JSON; download it again$/,
    );
    expect(await refusal('checkpoint', loading(tinyFolder({}, good.slice(0, good.length - 100))))).toMatch(
      /^model.safetensors: lm_head.weight ends at byte \d+, but the file has only \d+ .*download it again$/,
    );
    expect(await refusal('checkpoint', loading(tinyFolder({}, good.slice(0, 500))))).toMatch(
      /^model.safetensors: states a header of \d+ bytes, but the file has only 500; it was cut short, download it again$/,
    );
    const two = { dtype: 'F32', shape: [2] };
    const overlapping = { a: { ...two, data_offsets: [0, 8] }, b: { ...two, data_offsets: [4, 12] } };
    expect(
      await refusal('checkpoint', loading(tinyFolder({}, withHeader(JSON.stringify(overlapping), new Uint8Array(12))))),
    ).toBe('model.safetensors: "a" and "b" share bytes; the file is damaged'.replaceAll('"', ''));
    const files = {
      'config.json': JSON.stringify(TINY),
      'model.safetensors': good,
      'tokenizer.json': '{"version": "1.0"}',
    };
    expect(await refusal('checkpoint', loading(writeFolder(files)))).toMatch(/^tokenizer.json: /);
    for (const file of ['tokenizer.json', 'generation_config.json']) {
      expect(
        await refusal('checkpoint', loading(writeFolder({ ...files, 'tokenizer.json': '{', [file]: '{' }))),
      ).toMatch(/\.json: is not valid JSON; download it again$/);
    }
  });

  it.runIf(isFull)('lacks a shard, or has one that was cut short', async () => {
    const all = tinyTensors();
    const names = Object.keys(all);
    const shard = (i: number): string => `model-0000${i + 1}-of-00002.safetensors`;
    const some = (i: number): Uint8Array =>
      checkpointFile(Object.fromEntries(names.filter((_, n) => n % 2 === i).map((name) => [name, all[name]])));
    const index = JSON.stringify({ weight_map: Object.fromEntries(names.map((name, n) => [name, shard(n % 2)])) });
    const files = {
      'config.json': JSON.stringify(TINY),
      'model.safetensors.index.json': index,
      [shard(0)]: some(0),
    };
    expect(await refusal('checkpoint', loading(writeFolder(files)))).toMatch(
      /^model-00002-of-00002.safetensors: is named in model.safetensors.index.json but missing from /,
    );
    expect(await refusal('checkpoint', loading(writeFolder({ ...files, [shard(1)]: some(1).slice(0, -4) })))).toMatch(
      /^model-00002-of-00002.safetensors: .* it was cut short, download it again$/,
    );
    await withEngine({ model: writeFolder({ ...files, [shard(1)]: some(1) }), dtype: 'f32' }, async (engine) => {
      const { ids } = await engine.generate(PROMPT, GREEDY).result;
      expect(ids).toEqual(reference(all).greedy(PROMPT, 12));
    });
  });

  it('has a configuration that is not a Llama this engine runs', async () => {
    const wrong: [Record<string, unknown>, RegExp][] = [
      [
        { architectures: ['MambaForCausalLM'] },
        /architecture MambaForCausalLM is not supported; Ridgepoint runs Llama/,
      ],
      [{ hidden_size: undefined }, /"hidden_size" must be a positive whole number, found undefined/],
      [{ num_key_value_heads: 3 }, /"num_attention_heads" 4 must be a multiple of "num_key_value_heads" 3/],
      [{ hidden_act: 'gelu' }, /"hidden_act" "gelu" is not supported/],
      [{ rope_scaling: { rope_type: 'yarn', factor: 2 } }, /"rope_scaling" of type "yarn" is not supported/],
    ];
    for (const [json, message] of wrong) {
      const found = await refusal('checkpoint', loading(tinyFolder(json, good)));
      expect(found).toMatch(message);
      expect(found).toMatch(/config\.json: /);
    }
  });
});

describe('a tensor that is wrong', () => {
  it.runIf(isFull)('is named with what was expected and what was found', async () => {
    const half = changed((tensors) => {
      tensors[UP] = { shape: [22, 24], values: tensors[UP].values.slice(0, 22 * 24) };
    });
    expect(await refusal('checkpoint', loading(tinyFolder({}, checkpointFile(half))))).toBe(
      `${UP}: expected [44, 24] float32, found [22, 24] in model.safetensors`,
    );
    const integers: TensorSpec = { dtype: 'I64', shape: [44, 24], data: new Uint8Array(44 * 24 * 8) };
    expect(
      await refusal('checkpoint', loading(tinyFolder({}, checkpointFile(tinyTensors(), { [UP]: integers })))),
    ).toBe(`${UP}: expected [44, 24] in one of float32, float16, bfloat16, found [44, 24] I64 in model.safetensors`);
    expect(await refusal('checkpoint', loading(tinyFolder({}, checkpointFile(without(UP)))))).toBe(
      `${UP}: expected [44, 24], found no tensor of that name in model.safetensors`,
    );
  });

  it('is missing where embedding and head are two', async () => {
    const only = (...missing: string[]) => tinyFolder({}, checkpointFile(without(...missing)));
    expect(await refusal('checkpoint', loading(only(HEAD)))).toBe(
      `${HEAD}: not in the checkpoint; ${EMBEDDING} could serve for both if config.json said "tie_word_embeddings"`,
    );
    expect(await refusal('checkpoint', loading(only(EMBEDDING)))).toBe(
      `${EMBEDDING}: not in the checkpoint; ${HEAD} could serve for both if config.json said "tie_word_embeddings"`,
    );
    expect(await refusal('checkpoint', loading(only(EMBEDDING, HEAD)))).toBe(`${EMBEDDING}: not in the checkpoint`);
  });

  it.runIf(isFull)('is no loss where they are one, stored under either name', async () => {
    const json = { tie_word_embeddings: true };
    for (const missing of [HEAD, EMBEDDING]) {
      const tensors = without(missing);
      const expected = reference(tensors, json).greedy(PROMPT, 12);
      const model = tinyFolder(json, checkpointFile(tensors));
      await withEngine({ model, dtype: 'f32', kvDtype: 'f32' }, async (engine) => {
        expect((await engine.generate(PROMPT, GREEDY).result).ids).toEqual(expected);
      });
    }
  });

  it.runIf(isFull)('holds a value that is none, or none in f16', async () => {
    for (const value of [NaN, Infinity]) {
      expect(await refusal('checkpoint', loading(tinyFolder({}, put(UP, 7, value)), { checkWeights: true }))).toBe(
        `${UP}: element 7 is ${value}; the checkpoint is damaged`,
      );
    }
    const data = new Uint8Array(44 * 24 * 2);
    new DataView(data.buffer).setUint16(10, 0x4880, true); // 2^18 in bfloat16
    const large = checkpointFile(tinyTensors(), { [UP]: { dtype: 'BF16', shape: [44, 24], data } });
    expect(await refusal('checkpoint', loading(tinyFolder({}, large)))).toBe(
      `${UP}: element 5 is 262144, beyond the range of float16; load with dtype bf16 or dtype f32`,
    );
    await loading(tinyFolder({}, large), { dtype: 'bf16', maxSequences: 1 })();
  });

  it.runIf(isFull)('is noticed when logits are no numbers, and harms no other generation', async () => {
    const token = 40; // only a prompt with this token meets the damage
    const model = tinyFolder({}, put(EMBEDDING, token * TINY.hidden_size + 3, NaN));
    await withEngine({ model, maxSequences: 2 }, async (engine) => {
      const good = await engine.generate(PROMPT, { ...GREEDY, logitBias: { [token]: -Infinity } }).result;
      const [bad, beside] = await Promise.allSettled([
        engine.generate([1, token], GREEDY).result,
        engine.generate(PROMPT, { ...GREEDY, logitBias: { [token]: -Infinity } }).result,
      ]);
      expect(
        await refusal(
          'device',
          () => (bad as PromiseRejectedResult).reason && Promise.reject((bad as PromiseRejectedResult).reason),
        ),
      ).toBe(
        "the model's logits are not numbers at generated token 0; its weights may be damaged (load with checkWeights to find where)",
      );
      expect(beside).toMatchObject({ status: 'fulfilled', value: { ids: good.ids } });
      // The blocks that held NaN are used again, and must not show through.
      for (let i = 0; i < 3; i++) {
        const again = await engine.generate(PROMPT, { ...GREEDY, logitBias: { [token]: -Infinity } }).result;
        expect(again.ids).toEqual(good.ids);
      }
    });
  });
});

describe('too little memory', () => {
  it('says what was asked, what is free and what would fit', async () => {
    const small = changedHost({ freeBytes: 700 << 20 });
    expect(await refusal('memory', loading('tinyllama-1.1b', { weights: 'synthetic' }, small))).toMatch(
      /^out of GPU memory: tinyllama-1.1b in f16 needs [\d.]+ GiB \(weights [\d.]+ GiB, KV cache for 2048 tokens [\d.]+ GiB, activations [\d.]+ GiB\), but .* has 0\.68 GiB free; a model of at most about \d+ million parameters would fit in f16$/,
    );
    const medium = changedHost({ freeBytes: 2.6 * 2 ** 30 });
    expect(await refusal('memory', loading('tinyllama-1.1b', { weights: 'synthetic', dtype: 'f32' }, medium))).toMatch(
      /; it would fit with dtype f16, which halves the weights$/,
    );
    expect(
      await refusal('memory', loading('tinyllama-1.1b', { weights: 'synthetic', kvCacheTokens: 60_000 }, medium)),
    ).toMatch(/a KV cache for one sequence of 2048 tokens would fit \(kvCacheBytes 46137344\)$/);
  });

  it('says how long a cache an adapter binds', async () => {
    const host = changedHost({ limits: { maxStorageBufferBindingSize: 64 * 1024 } });
    const message = await refusal('memory', loading(tinyFolder(), { kvCacheTokens: 100_000 }, host));
    expect(message).toMatch(
      /^a KV cache of 100000 tokens needs 6250 blocks a layer, but .* binds at most \d+; ask for at/,
    );
  });
});

describe('a device that is lost', () => {
  it('ends what runs with one clear sentence, and all that comes after', async () => {
    let device: GPUDevice | undefined;
    const host = changedHost({ onDevice: (given) => (device = given) });
    const engine = await startEngine({ adapter, maxSequences: 2, kvCacheTokens: 512 }, host);
    const long = { ignoreEos: true, maxTokens: 300 };
    const [first, second] = ['Once upon a time', 'Ben'].map((prompt) => engine.generate(prompt, long));
    let chunks = 0;
    const iterate = async () => {
      for await (const { ids } of first) if ((chunks += ids.length) === 3) device!.destroy();
    };
    const LOST =
      /^the GPU device was lost \(.*\); load the engine again, with a smaller model or context if this repeats$/;
    expect(await refusal('device', iterate)).toMatch(LOST);
    expect(await refusal('device', () => first.result)).toMatch(LOST);
    expect(await refusal('device', () => second.result)).toMatch(LOST);
    expect(await refusal('device', () => engine.generate('Tom', long).result)).toMatch(LOST);
    await engine.dispose();
  });

  it.runIf(isFull)('ends an idle engine too', async () => {
    let device: GPUDevice | undefined;
    const host = changedHost({ onDevice: (given) => (device = given) });
    const engine = await startEngine({ adapter, model: tinyFolder(), maxSequences: 1 }, host);
    expect(engine.failure).toBeUndefined();
    device!.destroy();
    expect(await refusal('device', () => engine.generate(PROMPT, GREEDY).result)).toMatch(/^the GPU device was lost/);
    expect(engine.failure?.message).toMatch(/^the GPU device was lost/);
    await engine.dispose();
  });

  it('ends loading', async () => {
    let device: GPUDevice | undefined;
    const host = changedHost({ onDevice: (given) => (device = given) });
    const onProgress = ({ stage }: { stage: string }): void => {
      if (stage === 'weights') device!.destroy();
    };
    const message = await refusal('device', loading(tinyFolder(), { onProgress }, host));
    expect(message).toMatch(/^the GPU device was lost/);
  });
});
