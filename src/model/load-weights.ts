import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { streamJobs, type StreamJob } from '../checkpoint/stream.js';
import type { Gpu } from '../gpu/gpu.js';
import { UploadRing } from '../gpu/upload-ring.js';
import { fillSynthetic } from '../kernels/synthetic/kernel.js';
import { seedOf } from '../seed.js';
import type { FloatDtype, WeightPart } from '../kernels/weights.js';
import type { ModelConfig } from './config.js';
import { planLoad, type LoadStep, type LoadWay } from './load-plan.js';
import { modelMatrices, namedVocabulary, storedVocabulary } from './matrices.js';
import { floatRows, quantizedWriter, type RowWriter } from './row-writer.js';
import type { ModelWeights } from './weights.js';

/** Bytes of one upload: a large read, and some of them fit a buffer of the ring. */
const SLAB_BYTES = 4 << 20;

export interface WeightLoadOptions {
  /** Refuse NaN and infinite weights. */
  readonly check?: boolean;
  /** Bytes that have reached the GPU, and the matrix being loaded. */
  readonly onProgress?: (bytes: number, item: string) => void;
  readonly signal?: AbortSignal;
  /** Bytes of one upload; 4 MiB by default. */
  readonly slabBytes?: number;
}

/** What is loaded, from where and to where. */
export interface WeightLoadRequest {
  readonly gpu: Gpu;
  readonly config: ModelConfig;
  readonly checkpoint: Checkpoint;
  /** Allocated; filled here. */
  readonly weights: ModelWeights;
}

/** A part of a matrix as it is streamed. */
interface PartJob extends StreamJob {
  readonly part: WeightPart;
  readonly write: RowWriter['write'];
}

type StreamedStep = Exclude<LoadStep, LoadWay<'take'>>;

/**
 * Streams a checkpoint into allocated weights. Host memory stays within a few slabs whatever the model's size.
 *
 * @throws RidgepointError naming the tensor that is missing, misshapen, or out of the stored type's range
 */
export async function loadCheckpoint(
  { gpu, config, checkpoint, weights }: WeightLoadRequest,
  options: WeightLoadOptions = {},
): Promise<void> {
  const { signal, onProgress, slabBytes = SLAB_BYTES, check = false } = options;
  const tiedEmbeddings = weights.lmHead === weights.embedding;
  const vocabulary = storedVocabulary({ ...config, tiedEmbeddings }, checkpoint);
  const steps = await planLoad(checkpoint, modelMatrices(config, vocabulary), weights);
  // A small model needs no large buffers.
  const ring = new UploadRing(gpu, { slotBytes: Math.min(2 * slabBytes, weights.bytes) });
  let done = 0;
  const count = (bytes: number, name: string): void => {
    signal?.throwIfAborted();
    done += bytes;
    onProgress?.(done, name);
  };
  try {
    for (let next = 0; next < steps.length;) {
      const step = steps[next];
      if (step.way === 'take') {
        const { takeQuants } = await import('./gptq-writer.js');
        for await (const bytes of takeQuants({ ring, ...step }, slabBytes)) count(bytes, step.source.name);
        next++;
        continue;
      }
      // Those that follow each other are one stream, in which the next is read while one is being made.
      const streamed = runFrom(steps, next);
      for await (const { job, ...slab } of streamJobs(checkpoint, jobsOf(ring, streamed, { slabBytes, check }))) {
        count(await job.write(job.part, slab), job.matrix.name);
      }
      next += streamed.length;
    }
    await ring.drain();
  } finally {
    ring.destroy();
  }
}

/** The steps from `begin` on that are streamed, up to one that is not. */
function runFrom(steps: readonly LoadStep[], begin: number): StreamedStep[] {
  const run: StreamedStep[] = [];
  for (const step of steps.slice(begin)) {
    if (step.way === 'take') break;
    run.push(step);
  }
  return run;
}

async function* jobsOf(
  ring: UploadRing,
  steps: readonly StreamedStep[],
  options: Required<Pick<WeightLoadOptions, 'slabBytes' | 'check'>>,
): AsyncGenerator<PartJob> {
  for (const step of steps) yield* partJobs(ring, step, options);
}

/** What is streamed into a matrix or vector, part by part. */
async function* partJobs(
  ring: UploadRing,
  step: StreamedStep,
  { slabBytes, check }: Required<Pick<WeightLoadOptions, 'slabBytes' | 'check'>>,
): AsyncGenerator<PartJob> {
  const { source } = step;
  const common = { matrix: source, slabBytes };
  if (step.way === 'vector') {
    const part = { buffer: step.buffer, rowBegin: 0, rows: source.rows };
    yield { ...common, part, ...floatRows(ring, undefined), to: 'f32', check };
    return;
  }
  const { matrix, way } = step;
  const writer = way === 'quantize' ? await quantizedWriter(ring, step) : floatRows(ring, matrix);
  for (const part of matrix.parts) {
    yield {
      ...common,
      part,
      ...writer,
      // Quants are made of f32.
      to: way === 'quantize' ? 'f32' : (matrix.dtype as FloatDtype),
      strideCols: matrix.stride,
      rowsBegin: part.rowBegin,
      rowsEnd: part.rowBegin + part.rows,
      rowsMultiple: matrix.lanes,
      // A scale has no room for what is not a number.
      check: check || way === 'quantize',
    };
  }
}

/** Fills allocated weights with deterministic pseudo-random numbers that keep activations of order one. */
export async function loadSynthetic(
  { gpu, config, weights }: Omit<WeightLoadRequest, 'checkpoint'>,
  options: WeightLoadOptions = {},
): Promise<void> {
  let done = 0;
  for (const { source, target: targetOf, ones = [] } of modelMatrices(config, namedVocabulary(config))) {
    options.signal?.throwIfAborted();
    options.onProgress?.(done, source.name);
    const target = targetOf(weights);
    if ('parts' in target) {
      // Uniform numbers of this amplitude have variance 1 / cols, the scale of trained projections.
      await fillSynthetic(gpu, target, seedOf(source.name), Math.sqrt(3 / source.cols));
      for (const part of target.parts) done += part.buffer.size;
    } else {
      const values = new Float32Array(source.rows);
      for (const [begin, end] of ones) values.fill(1, begin, end);
      gpu.queue.writeBuffer(target, 0, values);
      done += target.size;
    }
    options.onProgress?.(done, source.name);
  }
  gpu.check();
}
