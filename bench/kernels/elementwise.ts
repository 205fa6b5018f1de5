import type { Gpu } from '../../src/gpu/gpu.js';
import type { Timed } from '../../src/gpu/stopwatch.js';
import { paddedHeadDim, kvBlockBytes, BLOCK_TOKENS, type KvStored } from '../../src/kernels/attention/shape.js';
import { EmbedKernel } from '../../src/kernels/embed/kernel.js';
import { NormKernel, normVariants } from '../../src/kernels/norm/kernel.js';
import { RopeKernel, ropeVariant } from '../../src/kernels/rope/kernel.js';
import {
  GREEDY_SAMPLING,
  SampleKernel,
  SAMPLING_WORDS,
  sampleVariants,
  writeSampling,
} from '../../src/kernels/sample/kernel.js';
import { fillSynthetic } from '../../src/kernels/synthetic/kernel.js';
import { layoutOn } from '../../src/kernels/matmul/trial.js';
import { trialFloats, trialStep } from '../../src/kernels/trial-step.js';
import type { Variant } from '../../src/kernels/variant.js';
import { allocateMatrix, paddedColumns, type StoredDtype } from '../../src/kernels/weights.js';
import type { ModelConfig } from '../../src/model/config.js';
import { bytesOfWeight, kvPrecision } from '../../src/roofline/hardware/precision.js';
import { forwardOperations } from '../../src/model/cost.js';
import type { OperationKind } from '../../src/model/operations.js';
import type { Point } from './point.js';

type Elementwise = 'norm' | 'rope' | 'embed' | 'sample';

/** Rows of a step: one a sequence of their own, all different tokens. */
function rowsBuffer(gpu: Gpu, rows: number, vocab: number): GPUBuffer {
  const words = new Uint32Array(rows * 4);
  for (let row = 0; row < rows; row++) words.set([(row * 7919) % vocab, row, 0, row], row * 4);
  const buffer = gpu.storage('trial rows', words.byteLength);
  gpu.queue.writeBuffer(buffer, 0, words);
  return buffer;
}

interface Sizes {
  readonly model: string;
  readonly config: ModelConfig;
  readonly dtype: StoredDtype;
  readonly kv: KvStored;
  readonly rows: number;
}

/** What each family has to choose from, and how to record one launch of a variant. */
const MAKERS: Record<
  Elementwise,
  (gpu: Gpu, sizes: Sizes) => Promise<{ variant: string; isDefault: boolean; make(): Promise<Timed> }[]>
> = {
  norm: (gpu, { config, rows }) => {
    const stride = paddedColumns(config.hidden);
    const x = trialFloats(gpu, 'trial x', rows * stride);
    const gamma = trialFloats(gpu, 'trial gamma', stride);
    const out = gpu.storage('trial result', rows * stride * 4);
    const step = trialStep(gpu, { tokens: rows });
    const runnable = normVariants(gpu.capabilities).filter((variant) => variant.runs(gpu.capabilities));
    const make = async (variant: Variant): Promise<Timed> => {
      const sizes = { width: config.hidden, stride, eps: config.rmsNormEps };
      const buffers = { step, x, gamma, out };
      const kernel = await NormKernel.create(gpu, { operation: 'trial norm', ...buffers, ...sizes, variant });
      return { record: (pass) => kernel.record(pass, rows) };
    };
    return Promise.resolve(
      runnable.map((variant, i) => ({ variant: variant.name, isDefault: i === 0, make: () => make(variant) })),
    );
  },
  rope: (gpu, { config, kv, rows }) => {
    const { heads, kvHeads, headDim } = config;
    const qkvStride = paddedColumns((heads + 2 * kvHeads) * headDim);
    const cacheBytes = Math.ceil(rows / BLOCK_TOKENS) * kvBlockBytes(config, kv);
    const make = async (): Promise<Timed> => {
      const kernel = await RopeKernel.create(gpu, {
        operation: 'trial rope',
        shape: config,
        kv,
        step: trialStep(gpu, { tokens: rows }),
        rows: rowsBuffer(gpu, rows, config.vocab),
        qkv: trialFloats(gpu, 'trial qkv', rows * qkvStride),
        qkvStride,
        angles: trialFloats(gpu, 'trial angles', rows * headDim),
        queries: gpu.storage('trial queries', rows * heads * paddedHeadDim(headDim) * 4),
        keys: gpu.storage('trial keys', cacheBytes),
        values: gpu.storage('trial values', cacheBytes),
      });
      return { record: (pass) => kernel.record(pass, rows) };
    };
    return Promise.resolve([{ variant: ropeVariant(config, kv, gpu.capabilities).name, isDefault: true, make }]);
  },
  embed: (gpu, { config, dtype, rows }) => {
    const make = async (): Promise<Timed> => {
      const table = allocateMatrix(
        gpu,
        'trial table',
        { rows: config.vocab, cols: config.hidden },
        layoutOn(gpu, dtype),
      );
      await fillSynthetic(gpu, table, 1, 1);
      const outStride = paddedColumns(config.hidden);
      const kernel = await EmbedKernel.create(gpu, {
        operation: 'trial embed',
        step: trialStep(gpu, { tokens: rows }),
        rows: rowsBuffer(gpu, rows, config.vocab),
        table,
        slotTokens: gpu.storage('trial slots', 16),
        out: gpu.storage('trial result', rows * outStride * 4),
        outStride,
      });
      return { record: (pass) => kernel.record(pass, rows) };
    };
    return Promise.resolve([{ variant: 'gather', isDefault: true, make }]);
  },
  sample: (gpu, { config, rows }) => {
    const { vocab } = config;
    const stride = paddedColumns(vocab);
    const logits = trialFloats(gpu, 'trial logits', rows * stride);
    const state = gpu.storage('trial state', rows * vocab * 8);
    const slotTokens = gpu.storage('trial slots', rows * 4);
    const sampled = gpu.storage('trial sampled', rows * 4);
    const masks = gpu.storage('trial masks', rows * Math.ceil(vocab / 32) * 4);
    const parameters = new ArrayBuffer(rows * SAMPLING_WORDS * 4);
    const options = { ...GREEDY_SAMPLING, temperature: 0.8, topK: 50, topP: 0.9 };
    for (let slot = 0; slot < rows; slot++) {
      writeSampling(new Uint32Array(parameters), new Float32Array(parameters), slot * SAMPLING_WORDS, {
        ...options,
        slot,
      });
    }
    const sampling = gpu.storage('trial sampling', parameters.byteLength);
    gpu.queue.writeBuffer(sampling, 0, parameters);
    const step = trialStep(gpu, { tokens: rows, logitRows: rows });
    const variants = sampleVariants(gpu.capabilities);
    const runnable = variants.full.filter((variant) => variant.runs(gpu.capabilities));
    const make = async (variant: Variant | undefined): Promise<Timed> => {
      const buffers = { step, sampling, logits, state, slotTokens, sampled, masks };
      const kernel = await SampleKernel.create(gpu, { operation: 'trial sample', vocab, stride, ...buffers, variant });
      return { record: (pass) => kernel.record(pass, rows, variant === undefined) };
    };
    return Promise.resolve([
      ...runnable.map((variant, i) => ({ variant: variant.name, isDefault: i === 0, make: () => make(variant) })),
      { variant: 'greedy', isDefault: false, make: () => make(undefined) },
    ]);
  },
};

const SHAPES: Record<Elementwise, (config: ModelConfig) => string> = {
  norm: ({ hidden }) => `${hidden}`,
  rope: ({ heads, kvHeads, headDim }) => `${heads}/${kvHeads}x${headDim}`,
  embed: ({ vocab, hidden }) => `${vocab}x${hidden}`,
  sample: ({ vocab }) => `${vocab}`,
};

/** Kernels whose operands are activations, which the caches hold in the engine too: nothing is in rotation here. */
export function elementwisePoint(kind: Elementwise, sizes: Sizes): Point {
  const { model, config, dtype, kv, rows } = sizes;
  const precision = { weightBytes: bytesOfWeight(dtype), ...kvPrecision(kv), activationBytes: 4 };
  // A prompt's rows, one row too: those of decoding sequences are normalised and rotated elsewhere.
  const batch = { sequences: [{ newTokens: rows, context: 0, prefill: true }], logitRows: rows };
  const list = forwardOperations({ ...config, layers: 1 }, batch, precision);
  const cost = list.find((operation) => operation.kind === (kind satisfies OperationKind))!;
  return {
    kind,
    model,
    operation: kind,
    shape: SHAPES[kind](config),
    slice: null,
    dtype: kind === 'embed' ? dtype : kind === 'rope' ? kv : 'f32',
    rows,
    context: 0,
    bytes: cost.weightBytes + cost.activationBytes + cost.kvReadBytes + cost.kvWriteBytes,
    flops: cost.flops,
    async prepare(gpu) {
      const makers = await MAKERS[kind](gpu, sizes);
      return makers.map((each) => ({ ...each, units: 'scalar' as const }));
    },
  };
}
