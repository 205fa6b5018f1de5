import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../src/checkpoint/checkpoint.js';
import { openCheckpoint } from '../../src/checkpoint/open.js';
import { packedFormat } from '../../src/checkpoint/quantization-config.js';
import type { Gpu } from '../../src/gpu/gpu.js';
import { UploadRing } from '../../src/gpu/upload-ring.js';
import { allocateMatrix, laneRows, type WeightMatrix } from '../../src/kernels/weights.js';
import type { ModelConfig } from '../../src/model/config.js';
import { loadCheckpoint } from '../../src/model/load-weights.js';
import { modelMatrices, namedVocabulary } from '../../src/model/matrices.js';
import { takeQuants } from '../../src/model/gptq-writer.js';
import { quantizedStep } from '../../src/model/load-plan.js';
import { planSaving, saveQuantized } from '../../src/model/save-quantized.js';
import { allocateWeights, type ModelWeights } from '../../src/model/weights.js';
import { quantFormat, scaleWords } from '../../src/quantization/formats.js';
import { quantizedRows, quantizeRows, quantAt, scaleAt } from '../../src/quantization/quantize.js';
import { quantizationConfig, savedFormats, savedMatrices, type SavedFormats } from '../../src/quantization/saved.js';
import { packGptq, type QuantLayer } from '../checkpoint/packing.js';
import { MemoryFolder, MemorySink } from '../checkpoint/support.js';
import { adapters, testGpu } from '../support/adapters.js';
import { freeingAll, readWords } from '../support/buffers.js';
import { fakeCheckpoint, randomWeights, tensorShapes, tinyConfig } from '../support/model.js';

// 172 columns are a remainder of every group, 105 rows no whole number of words.
const untied = tinyConfig();
const tied = tinyConfig({ tie_word_embeddings: true });
const opened = (files: Record<string, Uint8Array | string>): Promise<Checkpoint> =>
  openCheckpoint(new MemoryFolder(files));

interface SaveSizes {
  readonly shardBytes?: number;
  readonly windowBytes?: number;
}

async function save(
  checkpoint: Checkpoint,
  config: ModelConfig,
  formats: SavedFormats,
  { shardBytes, windowBytes }: SaveSizes = {},
): Promise<Record<string, Uint8Array | string>> {
  const plan = planSaving(checkpoint, config, formats, { format: 'pt' }, shardBytes);
  const sink = new MemorySink();
  let last = 0;
  await saveQuantized(checkpoint, plan, sink, { windowBytes, onProgress: (bytes) => (last = bytes) });
  expect(last).toBe(plan.bytes);
  expect(sink.open).toBe(0);
  for (const { name, bytes } of plan.files) expect(sink.files[name].length).toBe(bytes);
  return { ...sink.files, ...(plan.index === undefined ? {} : { 'model.safetensors.index.json': plan.index }) };
}

/** Opens saved files as the engine does. */
async function reopened(files: Record<string, Uint8Array | string>, formats: SavedFormats): Promise<Checkpoint> {
  const config = { quantization_config: quantizationConfig(formats, 'test:1') };
  expect(savedFormats(config)).toEqual(formats);
  return openCheckpoint(new MemoryFolder(files), {
    format: packedFormat(config)!,
    exceptions: savedMatrices(formats),
  });
}

const partsOf = (config: ModelConfig, weights: ModelWeights): GPUBuffer[] =>
  modelMatrices(config, namedVocabulary(config)).flatMap(({ target }) => {
    const found = target(weights);
    return 'parts' in found ? found.parts.map(({ buffer }) => buffer) : [found];
  });

async function loaded(
  gpu: Gpu,
  config: ModelConfig,
  { dtype, head }: SavedFormats,
  checkpoint: Checkpoint,
): Promise<Uint32Array[]> {
  const weights = allocateWeights(gpu, config, { dtype, tied: config.tiedEmbeddings, head });
  await loadCheckpoint({ gpu, config, checkpoint, weights });
  const buffers: Uint32Array[] = [];
  for (const buffer of partsOf(config, weights)) buffers.push(await readWords(gpu, buffer));
  return buffers;
}

describe.each(adapters)('a saved checkpoint on %s', (adapter) => {
  it.each<[string, ModelConfig, SavedFormats, SaveSizes]>([
    ['tied', tied, { dtype: 'int4-g32', head: 'f16' }, {}],
    ['untied, in bands and shards', untied, { dtype: 'int4-g32', head: 'f16' }, { shardBytes: 3e4, windowBytes: 2500 }],
    ['tied', tied, { dtype: 'int8-g128', head: 'int4-g64-zp' }, { windowBytes: 2500 }],
    ['untied', untied, { dtype: 'int4-g64-zp', head: 'int8-g32' }, { shardBytes: 3e4 }],
    ['untied', untied, { dtype: 'int8-g32-zp', head: 'f32' }, { windowBytes: 2500 }],
    ['tied', tied, { dtype: 'int4-g128', head: 'bf16' }, {}],
    ['with biases', tinyConfig({ model_type: 'qwen2' }), { dtype: 'int4-g32', head: 'f16' }, {}],
    ['with norms of heads', tinyConfig({ model_type: 'qwen3', head_dim: 16 }), { dtype: 'int8-g32', head: 'f16' }, {}],
  ])('is on the GPU, bit for bit, what loading would quantise: %s %#', async (_, config, formats, sizes) => {
    const gpu = await testGpu(adapter);
    const original = fakeCheckpoint(config, randomWeights(config, 'f32', 5));
    const files = await save(original, config, formats, sizes);
    expect(Object.keys(files).length > 1).toBe(sizes.shardBytes !== undefined);
    await freeingAll(gpu, async () => {
      const expected = await loaded(gpu, config, formats, original);
      const found = await loaded(gpu, config, formats, await reopened(files, formats));
      expect(found).toEqual(expected);
    });
  });

  it('is loaded the same in windows smaller than a matrix, rows side by side or not', async () => {
    const gpu = await testGpu(adapter);
    const formats: SavedFormats = { dtype: 'int4-g32-zp', head: 'f16' };
    const original = fakeCheckpoint(untied, randomWeights(untied, 'f32', 6));
    const checkpoint = await reopened(await save(original, untied, formats), formats);
    const format = quantFormat('int4-g32-zp');
    for (const lanes of new Set([1, 4, laneRows(gpu.capabilities)])) {
      for (const { source, kind } of modelMatrices(untied, namedVocabulary(untied)).slice(0, 8)) {
        if (kind !== 'layer') continue;
        const fill = async (matrix: WeightMatrix, slabBytes: number, windowBytes?: number): Promise<Uint32Array> => {
          const part = matrix.parts[0];
          let written = 0;
          const ring = new UploadRing(gpu, { slotBytes: 5000, slots: 2 });
          const step = await quantizedStep(checkpoint, source, matrix, format);
          if (step.way !== 'take') throw new Error(`${source.name} is not taken as it lies`);
          for await (const bytes of takeQuants({ ring, ...step }, slabBytes, windowBytes)) {
            written += bytes;
          }
          await ring.drain();
          ring.destroy();
          expect(written).toBe(part.buffer.size);
          return readWords(gpu, part.buffer);
        };
        await freeingAll(gpu, async () => {
          const layout = { dtype: 'int4-g32-zp', lanes } as const;
          const room = (): WeightMatrix => allocateMatrix(gpu, source.name, source, layout);
          expect(await fill(room(), 700, 2000)).toEqual(await fill(room(), 1e6));
        });
      }
    }
  });
});

describe('a saved checkpoint', () => {
  it.each<SavedFormats>([
    { dtype: 'int4-g32', head: 'f16' },
    { dtype: 'int4-g64-zp', head: 'f16' },
    { dtype: 'int8-g32', head: 'bf16' },
    { dtype: 'int8-g64-zp', head: 'f32' },
  ])('holds the tensors an independent packer of GPTQ makes: %o', async (formats) => {
    // The packer, as others, takes whole words only.
    const config = tinyConfig({ intermediate_size: 176, vocab_size: 104 });
    const weights = randomWeights(config, 'f32', 8);
    const saved = await opened(await save(fakeCheckpoint(config, weights), config, formats));
    const format = quantFormat(formats.dtype);
    for (const [name, [outputs, inputs]] of Object.entries(tensorShapes(config))) {
      if (!name.endsWith('_proj.weight')) continue;
      const rows = quantizedRows(outputs, inputs, format);
      quantizeRows(Float32Array.from(weights[name]), { rows: outputs, columns: inputs, format }, rows);
      const grid = <T>(height: number, width: number, of: (row: number, col: number) => T): T[][] =>
        Array.from({ length: height }, (_, row) => Array.from({ length: width }, (_, col) => of(row, col)));
      const words = scaleWords(inputs, format);
      const half = (row: number, group: number): number =>
        format.symmetric
          ? (rows.scales[row * words + (group >> 1)] >>> (16 * (group % 2))) & 0xffff
          : rows.scales[row * words + group] & 0xffff;
      const groups = Math.ceil(inputs / format.group);
      const layer: QuantLayer = {
        ...{ inputs, outputs, bits: format.bits },
        quants: grid(outputs, inputs, (row, col) => quantAt(rows.quants, row * inputs + col, format)),
        zeros: grid(groups, outputs, (g, row) => scaleAt(rows.scales.subarray(row * words), g, format).zero),
        scales: grid(groups, outputs, (g, row) => half(row, g)),
        groupOf: Array.from({ length: inputs }, (_, i) => Math.floor(i / format.group)),
      };
      for (const [part, { dtype, shape, data }] of Object.entries(packGptq(layer, format.symmetric ? 1 : 2))) {
        const tensor = name.replace(/weight$/, part);
        expect(saved.tensors.get(tensor)).toMatchObject({ dtype, shape });
        const found = new Uint8Array(data.length);
        await saved.readRange(tensor, 0, found);
        expect(found, tensor).toEqual(data);
      }
    }
  });

  it('is refused by what is wrong with it', async () => {
    const formats: SavedFormats = { dtype: 'int4-g32', head: 'f16' };
    const files = await save(fakeCheckpoint(tied, randomWeights(tied, 'f32', 9)), tied, formats);
    const name = 'model.layers.1.mlp.down_proj';
    const load = async (content: Record<string, Uint8Array | string>, as = formats): Promise<unknown> => {
      const quants = await (await reopened(content, as)).quantsOf(`${name}.weight`);
      return quants!.window!(0, untied.hidden);
    };
    const file = 'model.safetensors';
    const whole = files[file] as Uint8Array;
    const damaged = async (tensor: string, bytes: number[]): Promise<Record<string, Uint8Array>> => {
      const copy = whole.slice();
      copy.set(bytes, (await opened(files)).tensors.get(`${name}.${tensor}`)!.begin);
      return { [file]: copy };
    };
    await load(files);
    await expect(load(await damaged('qzeros', [0x47]))).rejects.toThrow(
      /^model.*down_proj\.qzeros: output 1 of group 0 has a zero of 5, but config\.json says all are 8; the checkpoint is/,
    );
    await expect(load(await damaged('scales', [0, 0x7c]))).rejects.toThrow(
      /down_proj\.scales: element 0 is not a finite/,
    );
    await expect(load(await damaged('g_idx', [255]))).rejects.toThrow(
      /g_idx: input 0 is in group 255 of 6; the file is/,
    );
    await expect(load({ [file]: whole.slice(0, -5) })).rejects.toThrow(/^model\.safetensors: .* it was cut short/);
    await expect(load(files, { dtype: 'int8-g32', head: 'f16' })).rejects.toThrow(
      /qweight: expected \[16, 64\] I32, found/,
    );
    const config = quantizationConfig(formats, '');
    const changed = (key: string, value: unknown) => ({ quantization_config: { ...config, [key]: value } });
    const meta = (ridgepoint: object) => changed('meta', { ridgepoint: { ...own, ...ridgepoint } });
    const own = { format: 1, dtype: 'int4-g32', head_dtype: 'f16' };
    expect(() => savedFormats(changed('bits', 8))).toThrow(
      /^config.json: .*"int4-g32" contradicts "bits" 8 beside it$/,
    );
    expect(() => savedFormats(meta({ format: 2 }))).toThrow(/"format" is 2, but this version reads 1; quantise the/);
    expect(() => savedFormats(meta({ dtype: 'int3' }))).toThrow(/"dtype" "int3" is no quantised format/);
    expect(() => savedFormats(meta({ head_dtype: 'f8' }))).toThrow(/"head_dtype" "f8" is no format of weights/);
    expect(savedFormats(changed('meta', { quantizer: ['gptqmodel:4.1.0'] }))).toBeUndefined();
  });
});
