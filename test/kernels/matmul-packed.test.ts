import { beforeAll, describe, expect, it } from 'vitest';
import type { Capabilities, SubgroupMatrixConfig } from '../../src/gpu/capabilities.js';
import type { Gpu } from '../../src/gpu/gpu.js';
import { record } from '../../src/gpu/recorder.js';
import { matmulParams, matmulVariants, type Epilogue, type MatmulVariant } from '../../src/kernels/matmul.js';
import { laneRows, paddedColumns } from '../../src/kernels/weights.js';
import { activationWords, dequantizeActivations, quantizeActivations } from '../../src/quantization/activations.js';
import { quantFormat, type QuantizedDtype } from '../../src/quantization/formats.js';
import { random, relativeError } from '../reference/compare.js';
import * as reference from '../reference/ops.js';
import { adapters, testGpu } from '../support/adapters.js';
import {
  freeingAll,
  poisoned,
  readFloats,
  storageOf,
  strided,
  submit,
  touchedOutside,
  unstrided,
} from '../support/buffers.js';
import { stepUniform } from '../support/step.js';
import { rounded, storedWeights, weightMatrix } from '../support/weights.js';
import { worstErrors } from '../support/worst.js';

/** Whole numbers are exact; what is left are the scales: as many roundings of 2^-24 as a row has groups. */
const TOLERANCE = 5e-7;

interface Case {
  readonly n: number;
  readonly k: number;
  readonly rows: number;
  /** The first rows, which are decoding sequences'. */
  readonly decodeRows?: number;
  readonly partRows?: number;
  readonly epilogue?: Epilogue;
}

/** Rows and outputs around tiles of 64 and 128, columns that end in parts of a group, every epilogue. */
const CASES: readonly Case[] = [
  { n: 6, k: 8, rows: 1 },
  { n: 105, k: 64, rows: 9 },
  { n: 64, k: 105, rows: 65, epilogue: 'residual' },
  { n: 172, k: 172, rows: 8, partRows: 62, epilogue: 'silu' },
  { n: 130, k: 704, rows: 131, decodeRows: 2 },
  { n: 256, k: 160, rows: 128, epilogue: 'residual' },
];

function dataOf({ n, k, rows }: Case, dtype: QuantizedDtype) {
  const format = quantFormat(dtype);
  const stride = paddedColumns(k);
  const rng = random(n * 1000 + k);
  const x = rounded(rng.normal(rows * k), 'f32');
  x.fill(0, 0, k); // a row of zeros
  const words = quantizeActivations(strided(x, k, stride), rows, stride, format);
  const exact = unstrided(Float32Array.from(dequantizeActivations(words, rows, stride, format)), rows, k, stride);
  const w = rng.normal(n * k, 1 / Math.sqrt(k));
  const residual = rounded(rng.normal(rows * n), 'f32');
  const store = reference.matmul(exact, storedWeights(w, k, dtype), rows, n, k);
  return { words, w, residual, store };
}

type Data = ReturnType<typeof dataOf>;

function expectedOf({ store, residual }: Data, n: number, epilogue: Epilogue): Float64Array {
  if (epilogue === 'store') return store;
  if (epilogue === 'residual') return reference.add(store, residual);
  const half = (phase: number): Float64Array => store.filter((_, i) => (i % n) % 2 === phase);
  return reference.siluGate(half(0), half(1));
}

describe.each(['int8-g32', 'int8-g64-zp', 'int8-g128'] as const)('matmul of rows and %s weights in 8 bits', (dtype) => {
  const format = quantFormat(dtype);
  const worst = worstErrors();
  const data = CASES.map((test) => dataOf(test, dtype));

  describe.each(adapters)('on %s', (adapter) => {
    let gpu: Gpu;
    beforeAll(async () => void (gpu = await testGpu(adapter)));

    const run = async (variant: MatmulVariant, lanes: number, test: Case, made: Data) => {
      const { n, k, rows, decodeRows = 0, partRows, epilogue = 'store' } = test;
      const width = epilogue === 'silu' ? n / 2 : n;
      const outStride = paddedColumns(width) + 32;
      const weights = weightMatrix(gpu, made.w, k, dtype, partRows, lanes);
      const rowWords = activationWords(weights.stride, format);
      const pipeline = await gpu.pipelines.get(variant);
      const x = storageOf(gpu, 'x', made.words, rowWords * 4);
      const out = poisoned(gpu, 'out', (rows + 1) * outStride);
      if (epilogue === 'residual') gpu.queue.writeBuffer(out, 0, strided(made.residual, n, outStride));
      const step = stepUniform(gpu, { tokens: rows, decodeRows, logitRows: 99 });
      submit(gpu, (pass) => {
        for (const part of weights.parts) {
          const words = matmulParams(part, weights, rowWords, outStride, 'tokens', epilogue);
          const group = gpu.bindGroup(pipeline, 'matmul', [step, gpu.uniform('params', words), x, part.buffer, out]);
          const tiles = Math.ceil((rows - decodeRows) / variant.rowsPerGroup);
          record(pass, pipeline, group, variant.groups(part.rows, gpu.capabilities), tiles);
        }
      });
      const words = await readFloats(gpu, out);
      const found = unstrided(words, rows, width, outStride).subarray(decodeRows * width);
      const expected = expectedOf(made, n, epilogue).subarray(decodeRows * width);
      return {
        error: relativeError(found, expected),
        touched: epilogue === 'residual' ? 0 : touchedOutside(new Uint32Array(words.buffer), rows, width, outStride),
      };
    };

    it('matches float64 on the same quants, every variant, both layouts', async () => {
      const own = laneRows(gpu.capabilities);
      const runnable = [...new Set([own, 1])].flatMap((lanes) =>
        matmulVariants({ dtype, lanes }, gpu.capabilities, 'int8')
          .many.filter((variant) => variant.runs(gpu.capabilities))
          // The largest take seconds to compile, and zero points are what they can go wrong in besides.
          .filter(({ name }) => !/128|^matrix/.test(name) || (lanes === own && dtype === 'int8-g64-zp'))
          .map((variant) => ({ variant, lanes })),
      );
      expect(runnable.length).toBeGreaterThan(0);
      await Promise.all(runnable.map(({ variant }) => gpu.pipelines.get(variant)));
      for (const { variant, lanes } of runnable) {
        for (const [i, test] of CASES.entries()) {
          await freeingAll(gpu, async () => {
            const what = `${variant.name}, ${lanes} rows side by side, ${JSON.stringify(test)}`;
            const { error, touched } = await run(variant, lanes, test, data[i]);
            worst(`${adapter} ${variant.name} ${dtype}`, error);
            expect(error, what).toBeLessThan(TOLERANCE);
            expect(touched, `${what}: words touched outside the result`).toBe(0);
          });
        }
      }
    });
  });
});

describe('the tiles of matrices of 8 bits', () => {
  const config = (shape: string, types = 'i8 i32'): SubgroupMatrixConfig => {
    const [M, N, K] = shape.split('x').map(Number);
    const [componentType, resultComponentType] = types.split(' ');
    return { componentType, resultComponentType, M, N, K };
  };
  const names = (lanes: number, configs: SubgroupMatrixConfig[], more: Partial<Capabilities> = {}): string[] => {
    const known: Partial<Capabilities> = {
      ...{ f16: false, subgroups: true, subgroupId: true, subgroupSizeControl: true, isCpu: false, packedDot: true },
      ...{ subgroupMinSize: lanes, subgroupMaxSize: lanes, subgroupMatrixConfigs: configs },
      ...{ maxInvocations: 1024, maxWorkgroupBytes: 48 * 1024 },
      ...more,
    };
    return matmulVariants({ dtype: 'int8-g128', lanes: 1 }, known as Capabilities, 'int8').many.map(({ name }) => name);
  };

  it('follow from what the adapter lists, its largest matrix first, and come before shader code', () => {
    const nvidia = [config('16x8x16'), config('16x16x32'), config('16x8x32'), config('16x16x16', 'f16 f32')];
    const found = names(32, nvidia);
    expect(found[0]).toBe('matrix16x16x32-i8-128x128-8');
    expect(found.slice(-2)).toEqual(['dot4-64', 'dot4-128']);
    for (const shape of ['16x16x32', '16x8x32', '16x8x16']) {
      for (const tile of ['64x128', '64x64', '32x64-2']) expect(found).toContain(`matrix${shape}-i8-${tile}`);
    }
    expect(new Set(found).size).toBe(found.length);
    expect(names(8, [config('8x8x8')])).toContain('matrix8x8x8-i8-32x64');
    expect(names(16, [config('8x16x32')], { maxWorkgroupBytes: 16 * 1024 })).toContain('matrix8x16x32-i8-64x64');
  });

  it('are none for other types, matrices deeper than is staged, or subgroups of unknown size', () => {
    const plain = ['dot4-64', 'dot4-128'];
    expect(names(32, [config('16x16x32', 'u8 u32'), config('16x16x16', 'f16 f32')])).toEqual(plain);
    expect(names(32, [config('16x16x64')])).toEqual(plain);
    const unknown = { subgroupMinSize: 16, subgroupSizeControl: false };
    expect(names(32, [config('16x16x32')], unknown)).toEqual(plain);
  });

  it('are none for weights that have no 8 bits', () => {
    const capabilities = { subgroupMatrixConfigs: [], isCpu: false } as unknown as Capabilities;
    for (const dtype of ['f16', 'int4-g32'] as const) {
      expect(matmulVariants({ dtype, lanes: 1 }, capabilities, 'int8').many).toEqual([]);
    }
  });
});
