import { describe, expect, it, vi } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/open.js';
import { parseJson, whatFileIs, whatFolderIs } from '../../src/checkpoint/mistakes.js';
import { packedFormat } from '../../src/checkpoint/quantization-config.js';
import { withQuantizeConfig } from '../../src/checkpoint/quantization-files.js';
import { MemoryFolder, messageOf } from './support.js';

const POINTER = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 134515008\n';

describe('files that are no safetensors', () => {
  it.each<[string, string, RegExp]>([
    ['a pointer of Git LFS', POINTER, /^model.safetensors: is a pointer of Git LFS .* run "git lfs pull"/],
    ['a web page', '<!DOCTYPE html><html><body>Sign in</body></html>', /is a web page .* "resolve" address/],
    ['another web page', '\n  <html lang="en"><head></head></html>', /is a web page/],
    ['a pointer of Xet', '# xet version 0\nfilesize = 5\nhash = "a"\n', /is a pointer of Xet/],
    ['an answer', '{"error":"Entry not found"}', /is the answer of a server that refused it/],
    ['another answer', 'Invalid username or password.', /is the answer of a server/],
    ['GGUF', `GGUF${'\0'.repeat(60)}`, /GGUF is not supported; give the safetensors/],
    ['a file of PyTorch', `PK\x03\x04${'\0'.repeat(60)}`, /is a file of PyTorch's, whatever its name says/],
    ['nothing', '', /^model.safetensors: is empty; download it again/],
  ])('%s', async (_, content, message) => {
    expect(await messageOf(() => openCheckpoint(new MemoryFolder({ 'model.safetensors': content })))).toMatch(message);
  });

  it.each<[string, string, RegExp]>([
    ['a pointer', POINTER, /^tokenizer.json: is a pointer of Git LFS/],
    ['a web page', '<!doctype html>', /^tokenizer.json: is a web page/],
    ['nothing', ' \n', /^tokenizer.json: is empty/],
    ['a number that is none', '{"temperature": NaN}', /^tokenizer.json: has NaN for a number, which no JSON has/],
    ['half a file', '{"a":', /^tokenizer.json: is not valid JSON; download it again/],
    ['lists in lists', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, /^tokenizer.json: nests more than 64 levels/],
    ['objects in objects', `${'{"a":'.repeat(65)}1${'}'.repeat(65)}`, /^tokenizer.json: nests more than 64 levels/],
  ])('nor JSON: %s', async (_, text, message) => {
    expect(await messageOf(() => parseJson(text, 'tokenizer.json'))).toMatch(message);
  });
});

it('tells of a text that would take gigabytes before it is parsed', () => {
  const parse = vi.spyOn(JSON, 'parse');
  const size = 42 << 20;
  const quoted = (inner: string): string => `["${inner}"${' '.repeat(size)}]`;
  try {
    expect(() => parseJson('['.repeat(size), 'config.json')).toThrow(/^config.json: nests more than 64 levels/);
    expect(() => parseJson(`[${'{},'.repeat(size / 3)}{}]`, 'a.json')).toThrow(
      /a.json: holds more than 8000000 values/,
    );
    expect(parse).not.toHaveBeenCalled();
    // What stands in a text counts for nothing.
    expect(parseJson(quoted('[\\"['.repeat(100)), 'a.json')).toEqual(['["['.repeat(100)]);
  } finally {
    parse.mockRestore();
  }
});

describe('folders and files given in place of a model', () => {
  it.each<[string, string[], RegExp]>([
    ['diffusers', ['model_index.json', 'unet/', 'vae/'], /a pipeline of diffusers/],
    [
      'weights as their makers write them',
      ['params.json', 'consolidated.safetensors'],
      /holds consolidated.safetensors, in the layout/,
    ],
    ['GGUF', ['model.Q4_K_M.gguf', 'README.md'], /it holds model.Q4_K_M.gguf: GGUF/],
    ['a LoRA adapter', ['adapter_config.json', 'adapter_model.safetensors'], /LoRA adapter; merge it into its base/],
    ['PyTorch', ['pytorch_model-00001-of-00002.bin'], /a file of PyTorch's; convert/],
    ['Meta’s own', ['consolidated.00.pth', 'params.json'], /consolidated.00.pth, a file of PyTorch's/],
    ['ONNX', ['model.onnx'], /ONNX is not supported/],
    ['TensorFlow', ['tf_model.h5'], /tf_model.h5, whose format is not supported/],
    ['an archive', ['model.zip'], /it holds model.zip; unpack it/],
    ['the Hub’s cache', ['blobs/', 'refs/', 'snapshots/'], /give one of those in its snapshots folder/],
    ['one level too high', ['Llama-2-7b-hf/'], /give a folder inside it, such as Llama-2-7b-hf/],
  ])('%s', async (_, names, message) => {
    expect(await whatFolderIs({ list: () => Promise.resolve(names) })).toMatch(message);
  });

  it('says what a file is by its name', () => {
    expect(whatFileIs('/models/a.GGUF')).toMatch(/GGUF/);
    expect(whatFileIs('a.pt')).toMatch(/PyTorch/);
    expect(whatFileIs('a.onnx')).toMatch(/ONNX/);
    expect(whatFileIs('model.safetensors')).toBeUndefined();
  });
});

describe('quantisation that is told of elsewhere or not supported', () => {
  const gptq = { bits: 4, group_size: 128, desc_act: false, model_file_base_name: 'model' };

  it('is found in the files of older tools', async () => {
    const of = async (files: Record<string, string>): Promise<unknown> =>
      packedFormat(await withQuantizeConfig({}, new MemoryFolder(files)));
    expect(await of({ 'quantize_config.json': JSON.stringify(gptq) })).toMatchObject({ method: 'gptq', bits: 4, groupSize: 128 }); // prettier-ignore
    const awq = { zero_point: true, q_group_size: 64, w_bit: 4, version: 'GEMM' };
    expect(await of({ 'quant_config.json': JSON.stringify(awq) })).toMatchObject({ method: 'awq', bits: 4, groupSize: 64 }); // prettier-ignore
    expect(await of({})).toBeUndefined();
    const modelOpt = { 'hf_quant_config.json': '{"quantization": {"quant_algo": "FP8"}}' };
    expect(await messageOf(() => of(modelOpt))).toMatch(/of method "modelopt"; .*give the checkpoint it was made of/);
  });

  it.each<[string, object, RegExp]>([
    ['MLX', { quantization: { group_size: 64, bits: 4 } }, /quantised for MLX/],
    ['MLX twice', { quantization_config: { group_size: 64, bits: 4 } }, /quantised for MLX/],
    ['bitsandbytes', { quantization_config: { load_in_4bit: true } }, /bitsandbytes, which is not supported/],
    [
      '8 bits of bitsandbytes',
      { quantization_config: { quant_method: 'bitsandbytes', load_in_8bit: true } },
      /bitsandbytes/,
    ],
    ['MLX with a mode', { quantization: { group_size: 32, bits: 4, mode: 'mxfp4' } }, /quantised for MLX/],
    ['what it cannot read', { quantization: { quant_algo: 'FP8' } }, /"quantization" .*FP8.* is not supported; give/],
    ['no method', { quantization_config: { weights: 'int4' } }, /names no "quant_method"; /],
    [
      'compressed tensors',
      { quantization_config: { quant_method: 'compressed-tensors', format: 'pack-quantized' } },
      /of method "compressed-tensors"/,
    ],
    ['ModelOpt', { quantization_config: { quant_method: 'modelopt', quant_algo: 'FP8' } }, /of method "modelopt"/],
    [
      'GEMV',
      { quantization_config: { quant_method: 'awq', bits: 4, version: 'gemv' } },
      /"version" "gemv" is not supp/,
    ],
    [
      'another layout of AWQ',
      { quantization_config: { quant_method: 'awq', bits: 4, checkpoint_format: 'gemv_fast' } },
      /"checkpoint_format" "gemv_fast"/,
    ],
    [
      'a format of GPTQ by its newer name',
      { quantization_config: { quant_method: 'gptq', bits: 4, format: 'marlin' } },
      /"checkpoint_format" "marlin"/,
    ],
    [
      'words of 16 bits',
      { quantization_config: { quant_method: 'gptq', bits: 4, pack_dtype: 'int16' } },
      /"pack_dtype" "int16"/,
    ],
    [
      'rotated weights',
      { quantization_config: { quant_method: 'gptq', bits: 4, rotation: 'hadamard' } },
      /"rotation" "hadamard"/,
    ],
    [
      'an adapter beside it',
      { quantization_config: { quant_method: 'gptq', bits: 4, adapter: { name: 'lora', rank: 64 } } },
      /"adapter"/,
    ],
    ['another', { quantization_config: { quant_method: 'fp8' } }, /of method "fp8"; .*give the checkpoint it was made/],
    ['Marlin', { quantization_config: { quant_method: 'gptq', bits: 4, is_marlin_format: true } }, /Marlin/],
    [
      'a pattern that refers back',
      { quantization_config: { quant_method: 'gptq', bits: 4, dynamic: { '-:(.+)\\1': {} } } },
      /refers back/,
    ],
    ['a pattern', { quantization_config: { quant_method: 'gptq', bits: 4, dynamic: { '+:(': {} } } }, /no pattern/],
  ])('refuses %s by its name', (_, config, message) => {
    expect(() => packedFormat(config)).toThrow(message);
  });

  it('tells of settings that nothing is known of, and takes those of packers as they are', () => {
    const gptqModel = { quant_method: 'gptq', bits: 4, group_size: 128, damp_percent: 0.05, pack_dtype: 'int32', adapter: null, rotation: null, meta: { quantizer: ['gptqmodel:4.0'] }, lm_head: false, format: 'gptq', mse: 0 }; // prettier-ignore
    expect(packedFormat({ quantization_config: gptqModel })?.unknown).toBeUndefined();
    const auto = { quant_method: 'awq', bits: 4, group_size: 64, version: 'gemm', zero_point: true, modules_to_not_convert: ['a'], colour: 'red' }; // prettier-ignore
    expect(packedFormat({ quantization_config: auto })?.unknown).toEqual(['quantization_config.colour']);
  });
});
