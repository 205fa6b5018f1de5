import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeModel } from '../../src/model/open.js';
import { openWeights } from '../../src/model/open-weights.js';
import { readPooling } from '../../src/model/pooling.js';
import { openFolder } from '../../src/platform/node/files.js';
import { checkpointFile, TINY, tinyTensors } from '../engine/support.js';
import { adapters } from '../support/adapters.js';
import { chosen, isFull } from '../support/scale.js';
import { build, cli, root } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'ridgepoint-quantize-'));
const model = join(root, 'models', 'tiny-tales');
const saved = join(folder, 'saved');
const on = ['--adapter', adapters[0]];

const failure = async (args: string[]): Promise<[number | null, string]> => {
  const { code, stdout, stderr } = await cli(args);
  expect(stdout).toBe('');
  return [code, stderr];
};

beforeAll(async () => {
  await build();
  const made = await cli(['quantize', 'tiny-tales', saved, '--dtype', 'int4', '--zero-points', '--head-dtype', 'int8']);
  expect(made).toMatchObject({ code: 0, stderr: '' });
  expect(made.stdout).toMatch(/saved: int4-g32-zp, embedding and head int8-g128-zp, \d\.\d\d MB made of 6\.95 MB in /);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('quantize', () => {
  it.runIf(isFull)('saves a folder that generates what quantising while loading does', async () => {
    const generate = (...args: string[]) =>
      cli(['generate', 'Once upon a time', '--temperature', '0', '--max-tokens', '24', '--json', ...on, ...args]);
    const there = await generate('--dtype', 'int4', '--zero-points', '--head-dtype', 'int8');
    const here = await generate('--model', saved);
    expect(here).toMatchObject({ code: 0 });
    const { ids, dtype, text } = JSON.parse(here.stdout) as { ids: number[]; dtype: string; text: string };
    expect(JSON.parse(there.stdout)).toMatchObject({ ids, dtype, text });
    expect(dtype).toBe('int4-g32-zp');
  });

  it('keeps what config.json says and takes the tokenizer along', () => {
    const read = (path: string) => JSON.parse(readFileSync(join(path, 'config.json'), 'utf8')) as object;
    const { quantization_config: own, ...rest } = read(saved) as { quantization_config: object };
    expect(rest).toEqual(read(model));
    expect(own).toMatchObject({ quant_method: 'gptq', bits: 4, group_size: 32, sym: false, lm_head: true });
    for (const file of ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json']) {
      expect(readFileSync(join(saved, file))).toEqual(readFileSync(join(model, file)));
    }
  });

  it.runIf(isFull)('refuses a type that contradicts what was saved, and takes one that does not', async () => {
    const args = ['generate', 'Once', '--max-tokens', '2', '--model', saved, '--quiet', ...on];
    expect(await failure([...args, '--dtype', 'int8'])).toEqual([
      2,
      'ridgepoint: --dtype names int8-g128, but the checkpoint was saved in int4-g32-zp; leave it out, or quantise the original again\n',
    ]);
    const contradiction: unknown = expect.stringMatching(/ names int4-g.., but the checkpoint was saved in int/);
    expect(await failure([...args, '--dtype', 'int4', '--group-size', '64'])).toEqual([2, contradiction]);
    expect(await failure([...args, '--head-dtype', 'int4'])).toEqual([2, contradiction]);
    const same = [['auto', '--head-dtype', 'int8'], ['int4'], ['int4-g32-zp'], ['f16']];
    for (const dtype of chosen(same, (_, i) => i === 0)) {
      expect(await cli([...args, '--dtype', ...dtype])).toMatchObject({ code: 0 });
    }
  });

  it('keeps a model without a head what it is, and how it pools', async () => {
    const [bare, target] = ['bare', 'bare-saved'].map((name) => join(folder, name));
    const tensors = Object.entries(tinyTensors()).filter(([name]) => name !== 'lm_head.weight');
    mkdirSync(join(bare, '1_Pooling'), { recursive: true });
    for (const [file, content] of [
      ['config.json', JSON.stringify(TINY)],
      ['model.safetensors', checkpointFile(Object.fromEntries(tensors.map(([name, of]) => [name.slice(6), of])))],
      ['modules.json', JSON.stringify([{ type: 'sentence_transformers.models.Pooling', path: '1_Pooling' }])],
      ['1_Pooling/config.json', '{"pooling_mode_mean_tokens":true}'],
    ] as const) {
      writeFileSync(join(bare, file), content);
    }
    expect(await cli(['quantize', bare, target, '--dtype', 'int8', '--quiet'])).toMatchObject({ code: 0, stderr: '' });
    const config = JSON.parse(readFileSync(join(target, 'config.json'), 'utf8')) as object;
    expect(config).toMatchObject({ architectures: ['LlamaModel'], tie_word_embeddings: false });
    const opened = await openFolder(target);
    expect(await readPooling(opened)).toEqual({ pooling: 'mean', normalize: false });
    const described = await describeModel({ name: 'saved', folder: opened, config, configName: 'config.json' });
    const { checkpoint, config: found } = await openWeights(described);
    await checkpoint.close();
    expect(found.headless).toBe(true);
  });

  it('leaves a folder alone that holds something, unless told otherwise', async () => {
    const target = join(folder, 'full');
    mkdirSync(target);
    for (const file of ['notes.txt', 'model-00001-of-00002.safetensors', 'model.safetensors.index.json']) {
      writeFileSync(join(target, file), 'old');
    }
    const args = ['quantize', model, target, '--dtype', 'int8'];
    expect(await failure(args)).toEqual([
      2,
      `ridgepoint: ${target}: is not empty; choose another folder, or add --force to write into it\n`,
    ]);
    expect(readdirSync(target)).toHaveLength(3);
    expect(await cli([...args, '--force', '--json'])).toMatchObject({ code: 0 });
    const files = readdirSync(target);
    expect(files).toEqual(expect.arrayContaining(['notes.txt', 'config.json', 'model.safetensors', 'tokenizer.json']));
    expect(files.filter((file) => /partial|00001|index/.test(file))).toEqual([]);
  });

  it('does not write over the checkpoint it reads', async () => {
    const original = join(folder, 'original');
    cpSync(model, original, { recursive: true });
    const [code, message] = await failure(['quantize', original, original, '--dtype', 'int8', '--force']);
    expect([code, message]).toEqual([
      2,
      `ridgepoint: ${original}: is the folder of the model itself; choose another\n`,
    ]);
    const file = 'model.safetensors';
    expect(readFileSync(join(original, file)).equals(readFileSync(join(model, file)))).toBe(true);
  });

  it('leaves nothing behind when it fails', async () => {
    const broken = join(folder, 'broken');
    const target = join(folder, 'never');
    mkdirSync(broken);
    copyFileSync(join(model, 'config.json'), join(broken, 'config.json'));
    const bytes = readFileSync(join(model, 'model.safetensors'));
    bytes.writeUInt16LE(0x7c00, bytes.length - 2000);
    writeFileSync(join(broken, 'model.safetensors'), bytes);
    const [code, message] = await failure(['quantize', broken, target, '--dtype', 'int4']);
    expect(code).toBe(1);
    expect(message).toMatch(/^ridgepoint: model\.layers\.3\..*: element \d+ is Infinity; the checkpoint is damaged\n$/);
    expect(readdirSync(folder)).not.toContain('never');
  });

  it.each([
    [['llama-2-7b', 'x', '--dtype', 'int4'], /llama-2-7b is a preset without weights; give a folder or a Hub name/],
    [['tiny-tales', 'x', '--dtype', 'f16'], /--dtype f16 is not quantised; choose int8 or int4/],
    [[saved, 'x', '--dtype', 'int8'], /saved is quantised already, to 4 bits; give the checkpoint it was made of/],
    [['tiny-tales', 'x'], /required option '--dtype <type>' not specified/],
    [
      ['tiny-tales', join(root, 'package.json'), '--dtype', 'int8'],
      /package\.json: cannot be written: a file is in the/,
    ],
  ])('refuses %j', async (args, message) => {
    expect(await failure(['quantize', ...args])).toEqual([2, expect.stringMatching(message)]);
  });
});
