import type { Checkpoint, TensorInfo } from '../../src/checkpoint/checkpoint.js';
import { f16ToF32, f32Value } from '../../src/checkpoint/float.js';
import { random } from '../reference/compare.js';

/** A linear layer quantised group by group, unpacked: what the packers below store. */
export interface QuantLayer {
  readonly inputs: number;
  readonly outputs: number;
  readonly bits: 4 | 8;
  /** [outputs][inputs] */
  readonly quants: number[][];
  /** [groups][outputs] */
  readonly zeros: number[][];
  readonly scales: number[][];
  /** [inputs] */
  readonly groupOf: number[];
}

export interface QuantLayerOptions {
  readonly bits: 4 | 8;
  readonly group: number;
  readonly actOrder?: boolean;
  /** Scales that bf16 holds exactly, too. */
  readonly coarse?: boolean;
}

/** Random quants; `actOrder` deals the inputs out to groups at random. */
export function quantLayer(
  inputs: number,
  outputs: number,
  { bits, group, actOrder = false, coarse = false }: QuantLayerOptions,
  seed: number,
): QuantLayer {
  const rng = random(seed);
  const groups = Math.ceil(inputs / group);
  const grid = (rows: number, cols: number, of: () => number): number[][] =>
    Array.from({ length: rows }, () => Array.from({ length: cols }, of));
  const groupOf = Array.from({ length: inputs }, (_, i) => Math.floor(i / group));
  if (actOrder) {
    for (let i = inputs - 1; i > 0; i--) {
      const j = rng.integer(i + 1);
      [groupOf[i], groupOf[j]] = [groupOf[j], groupOf[i]];
    }
  }
  const most = 2 ** bits - 1;
  return {
    inputs,
    outputs,
    bits,
    quants: grid(outputs, inputs, () => rng.integer(most + 1)),
    // GPTQ cannot store a zero of 0 other than by wrapping around, which is tried too.
    zeros: grid(groups, outputs, () => rng.integer(most + 1)),
    scales: grid(groups, outputs, () => 0x2000 + (rng.integer(0x400) & (coarse ? 0x3f8 : 0x3ff))),
    groupOf,
  };
}

/** [outputs][inputs] in float64. */
export function weightsOf({ quants, zeros, scales, groupOf }: QuantLayer): Float64Array {
  return Float64Array.from(
    quants.flatMap((row, out) =>
      row.map((q, i) => f32Value(f16ToF32(scales[groupOf[i]][out])) * (q - zeros[groupOf[i]][out])),
    ),
  );
}

interface Tensor {
  readonly dtype: string;
  readonly shape: number[];
  readonly data: Uint8Array;
}

const int32 = (shape: number[], words: number[]): Tensor => ({
  dtype: 'I32',
  shape,
  data: new Uint8Array(Int32Array.from(words, (word) => word | 0).buffer),
});

/** Words of `bits`-bit numbers, the first in the lowest bits. */
function word(numbers: readonly number[], bits: number): number {
  let sum = 0n;
  numbers.forEach((number, i) => (sum |= BigInt(number) << BigInt(bits * i)));
  return Number(BigInt.asIntN(32, sum));
}

/** What packers store scales in. */
export type ScaleDtype = 'F16' | 'BF16' | 'F32';

/** Scales given as f16 bits. Those of `quantLayer` that are to be BF16 must have been made with `coarse`. */
function scaleTensor(scales: readonly number[][], dtype: ScaleDtype): Tensor {
  const shape = [scales.length, scales[0].length];
  const half = scales.flat();
  const whole = half.map(f16ToF32);
  const data = { F16: Uint16Array.from(half), F32: Uint32Array.from(whole), BF16: Uint16Array.from(whole, (bits) => bits >>> 16) }[dtype]; // prettier-ignore
  return { dtype, shape, data: new Uint8Array(data.buffer) };
}

/** As AutoGPTQ's `pack` describes: columns of qweight are outputs, its words runs of inputs; zeros less one in v1. */
export function packGptq(layer: QuantLayer, version: 1 | 2, scaleDtype: ScaleDtype = 'F16'): Record<string, Tensor> {
  const { inputs, outputs, bits, quants, zeros, scales, groupOf } = layer;
  const n = 32 / bits;
  const weights: number[] = [];
  for (let i = 0; i < inputs; i += n) {
    for (let out = 0; out < outputs; out++) weights.push(word(quants[out].slice(i, i + n), bits));
  }
  const wrap = 2 ** bits;
  const stored = zeros.map((row) => row.map((zero) => (zero - (version === 1 ? 1 : 0) + wrap) % wrap));
  const packed = stored.flatMap((row) =>
    Array.from({ length: outputs / n }, (_, i) => word(row.slice(i * n, (i + 1) * n), bits)),
  );
  return {
    qweight: int32([inputs / n, outputs], weights),
    qzeros: int32([zeros.length, outputs / n], packed),
    scales: scaleTensor(scales, scaleDtype),
    g_idx: int32([inputs], groupOf),
  };
}

/** As AutoAWQ's GEMM layout: words are runs of eight outputs, taken in the order 0 2 4 6 1 3 5 7. */
export function packAwq(
  { inputs, outputs, quants, zeros, scales }: QuantLayer,
  scaleDtype: ScaleDtype = 'F16',
): Record<string, Tensor> {
  const order = [0, 2, 4, 6, 1, 3, 5, 7];
  const pack = (of: (out: number) => number): number[] =>
    Array.from({ length: outputs / 8 }, (_, w) =>
      word(
        order.map((i) => of(8 * w + i)),
        4,
      ),
    );
  const weights = Array.from({ length: inputs }, (_, i) => pack((out) => quants[out][i])).flat();
  return {
    qweight: int32([inputs, outputs / 8], weights),
    qzeros: int32(
      [zeros.length, outputs / 8],
      zeros.flatMap((row) => pack((out) => row[out])),
    ),
    scales: scaleTensor(scales, scaleDtype),
  };
}

/** A checkpoint of these tensors beside those of another. */
export function withTensors(base: Checkpoint | undefined, tensors: Readonly<Record<string, Tensor>>): Checkpoint {
  const infos = new Map<string, TensorInfo>(base?.tensors);
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    infos.set(name, { name, dtype, shape, begin: 0, end: data.length, file: 'memory' });
  }
  return {
    tensors: infos,
    totalBytes: 0,
    require: (name, shape) => base!.require(name, shape),
    readRange: (name, offset, into) =>
      name in tensors
        ? Promise.resolve(into.set(tensors[name].data.subarray(offset, offset + into.length)))
        : base!.readRange(name, offset, into),
    quantsOf: () => Promise.resolve(undefined),
    close: () => Promise.resolve(),
  };
}
