import { describe, expect, it } from 'vitest';
import { openAwq } from '../../src/checkpoint/awq/open.js';
import type { Checkpoint } from '../../src/checkpoint/checkpoint.js';
import { openGptq } from '../../src/checkpoint/gptq/open.js';
import { packedFormat } from '../../src/checkpoint/quantization-config.js';
import type { RowScales } from '../../src/checkpoint/quants.js';
import { packAwq, packGptq, quantLayer, weightsOf, withTensors, type QuantLayer } from './packing.js';

const configs = {
  gptq: { quant_method: 'gptq', bits: 4, group_size: 32, desc_act: false, sym: true },
  awq: { quant_method: 'awq', bits: 4, group_size: 32, zero_point: true, version: 'GEMM' },
};
const formatOf = (quantization: object) => packedFormat({ quantization_config: quantization })!;

const named = (tensors: object): Record<string, never> =>
  Object.fromEntries(Object.entries(tensors).map(([part, tensor]) => [`lin.${part}`, tensor as never]));

function opened(tensors: object, quantization: object): Checkpoint {
  const format = formatOf(quantization);
  const open = format.method === 'gptq' ? openGptq : openAwq;
  return open({ tensors: withTensors(undefined, named(tensors)), format, exceptions: () => undefined });
}

const scalesOf = async (checkpoint: Checkpoint): Promise<RowScales> =>
  (await checkpoint.quantsOf('lin.weight'))!.scales();

async function readBack(layer: QuantLayer, tensors: object, quantization: object): Promise<Float32Array> {
  const checkpoint = opened(tensors, quantization);
  const { inputs, outputs } = layer;
  expect(checkpoint.require('lin.weight', [outputs, inputs]).dtype).toBe('F32');
  expect(checkpoint.tensors.has('lin.qweight')).toBe(false);
  const values = new Float32Array(inputs * outputs);
  // In pieces that begin and end within rows.
  const bytes = new Uint8Array(values.buffer);
  for (let at = 0; at < bytes.length; at += 4 * 37) {
    await checkpoint.readRange('lin.weight', at, bytes.subarray(at, Math.min(bytes.length, at + 4 * 37)));
  }
  const scales = await scalesOf(checkpoint);
  for (const [row, column] of [
    [0, 0],
    [outputs - 1, inputs - 1],
    [3, 33],
  ]) {
    const group = layer.groupOf[column];
    expect(scales.at(row, column)).toEqual({ scale: layer.scales[group][row], zero: layer.zeros[group][row] });
  }
  return values;
}

describe('packed checkpoints', () => {
  const cases: [string, QuantLayer, (layer: QuantLayer) => object, object][] = [
    ['gptq', quantLayer(96, 40, { bits: 4, group: 32 }, 1), (l) => packGptq(l, 1), configs.gptq],
    [
      'gptq v2',
      quantLayer(64, 24, { bits: 4, group: 32 }, 2),
      (l) => packGptq(l, 2),
      { ...configs.gptq, checkpoint_format: 'gptq_v2' },
    ],
    [
      'gptq of 8 bits',
      quantLayer(64, 24, { bits: 8, group: 64 }, 3),
      (l) => packGptq(l, 1),
      { ...configs.gptq, bits: 8, group_size: 64 },
    ],
    [
      'gptq with act-order',
      quantLayer(96, 40, { bits: 4, group: 32, actOrder: true }, 4),
      (l) => packGptq(l, 1),
      { ...configs.gptq, desc_act: true },
    ],
    [
      'gptq with one group a row',
      quantLayer(96, 16, { bits: 4, group: 96 }, 5),
      (l) => packGptq(l, 1),
      { ...configs.gptq, group_size: -1 },
    ],
    ['awq', quantLayer(96, 40, { bits: 4, group: 32 }, 6), (l) => packAwq(l), configs.awq],
  ];
  it.each(cases)('of %s give the weights that were packed, exactly', async (_, layer, pack, quantization) => {
    expect([...(await readBack(layer, pack(layer), quantization))]).toEqual([...weightsOf(layer)]);
  });

  it('tell groups that are runs of columns from those that are not', async () => {
    for (const actOrder of [false, true]) {
      const layer = quantLayer(96, 40, { bits: 4, group: 32, actOrder }, 7);
      const checkpoint = opened(packGptq(layer, 1), configs.gptq);
      expect((await scalesOf(checkpoint)).uniform(32, 64)).toBe(!actOrder);
      expect((await scalesOf(checkpoint)).uniform(32, 33)).toBe(true);
    }
  });

  it('are refused by what is wrong with them', async () => {
    const layer = quantLayer(96, 40, { bits: 4, group: 32 }, 8);
    const { scales, ...rest } = packGptq(layer, 1);
    const open = (tensors: object, config: object = configs.gptq) => opened(tensors, config);
    expect(() => open(rest)).toThrow(/^lin\.scales: expected \[3, 40\] F16, found no tensor of that name$/);
    expect(() => open({ ...rest, scales }, { ...configs.gptq, group_size: 48 })).toThrow(
      /^lin\.qzeros: expected \[2, 5\]/,
    );
    const infinite = { ...scales, data: scales.data.slice() };
    infinite.data.set([0, 0x7c], 10);
    const damaged = open({ ...rest, scales: infinite });
    await expect(scalesOf(damaged)).rejects.toThrow(/^lin\.scales: element 5 is not a finite number/);
    expect(() => open({})).toThrow(/no tensor ends in \.qweight/);
  });

  it('are described by quantization_config', () => {
    expect(packedFormat({})).toBeUndefined();
    expect(formatOf(configs.gptq)).toEqual({ method: 'gptq', bits: 4, groupSize: 32, zeroOffset: 1, actOrder: false });
    expect(formatOf(configs.awq)).toEqual({ method: 'awq', bits: 4, groupSize: 32, zeroOffset: 0, actOrder: false });
    expect(() => formatOf({ quant_method: 'bitsandbytes' })).toThrow(
      /is of bitsandbytes, which is not supported; give the checkpoint it was made of/,
    );
    expect(() => formatOf({ ...configs.gptq, bits: 3 })).toThrow(/"bits" must be 4 or 8 for gptq, found 3/);
    expect(() => formatOf({ ...configs.gptq, desc_act: 1 })).toThrow(/"desc_act" must be true or false, found 1/);
    const odd = JSON.parse(`{"__proto__": 5, "constructor": 1, ${JSON.stringify(configs.gptq).slice(1)}`) as object;
    expect(formatOf(odd).unknown).toEqual(['quantization_config.__proto__', 'quantization_config.constructor']);
    expect(() => formatOf({ ...configs.awq, version: 'gemv' })).toThrow(/"version" "gemv" is not supported/);
  });
});
