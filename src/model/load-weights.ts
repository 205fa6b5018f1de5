import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { FusedMatrix } from '../checkpoint/layout.js';
import { streamFused } from '../checkpoint/stream.js';
import type { Gpu } from '../gpu/gpu.js';
import { fillSynthetic, seedOf } from '../kernels/synthetic.js';
import { paddedColumns, type FloatDtype } from '../kernels/weights.js';
import type { WeightMatrix, WeightPart } from '../kernels/weights.js';
import { quantFormat } from '../quantization/formats.js';
import type { LlamaConfig } from './config.js';
import { modelMatrices, namedVocabulary, storedVocabulary } from './matrices.js';
import { packedParts, writePacked } from './packed-writer.js';
import { floatRows, quantizedWriter, type RowWriter } from './row-writer.js';
import type { ModelWeights } from './weights.js';

/**
 * Bytes of one upload. Dawn copies uploads of a few MiB through a buffer it keeps, and makes a fresh one for each larger
 * one, whose page faults took a third of the loading time on lavapipe.
 */
const SLAB_BYTES = 2 << 20;

/** Uploads waiting on the queue hold host memory, so the loader lets them drain after this many bytes. */
const IN_FLIGHT_BYTES = 64 << 20;

export interface LoadOptions {
  /** Refuse NaN and infinite weights. */
  readonly check?: boolean;
  /** Bytes that have reached the GPU, and the matrix being loaded. */
  readonly onProgress?: (bytes: number, item: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Streams a checkpoint into allocated weights. Host memory stays within a few slabs whatever the model's size.
 *
 * @throws RidgepointError naming the tensor that is missing, misshapen, or out of the stored type's range
 */
export async function loadCheckpoint(
  gpu: Gpu,
  config: LlamaConfig,
  checkpoint: Checkpoint,
  weights: ModelWeights,
  options: LoadOptions = {},
): Promise<void> {
  const tiedEmbeddings = weights.lmHead === weights.embedding;
  const vocabulary = storedVocabulary({ ...config, tiedEmbeddings }, checkpoint);
  let done = 0;
  let inFlight = 0;
  for (const { source, target: targetOf } of modelMatrices(config, vocabulary)) {
    options.onProgress?.(done, source.name);
    const target = targetOf(weights);
    const matrix = 'parts' in target ? target : undefined;
    const parts = matrix?.parts ?? [{ buffer: target as GPUBuffer, rowBegin: 0, rows: 1 }];
    const write = await partWriter(gpu, checkpoint, source, matrix, options.check === true);
    for (const part of parts) {
      for await (const written of write(part)) {
        options.signal?.throwIfAborted();
        done += written;
        inFlight += written;
        if (inFlight >= IN_FLIGHT_BYTES) {
          gpu.queue.submit([]);
          await gpu.queue.onSubmittedWorkDone();
          gpu.check();
          inFlight = 0;
        }
        options.onProgress?.(done, source.name);
      }
    }
  }
  gpu.check();
}

/** Brings a part of a matrix to the GPU, slab by slab, and says how many bytes each took. */
type PartWriter = (part: WeightPart) => AsyncGenerator<number, void, undefined>;

async function partWriter(
  gpu: Gpu,
  checkpoint: Checkpoint,
  source: FusedMatrix,
  matrix: WeightMatrix | undefined,
  check: boolean,
): Promise<PartWriter> {
  const format = matrix && quantFormat(matrix.dtype);
  const packed = matrix && format && (await packedParts(checkpoint, source, format));
  if (packed !== undefined) return (part) => writePacked(gpu, source, packed, matrix!, format!, part, SLAB_BYTES);
  const write: RowWriter =
    format && matrix ? await quantizedWriter(gpu, checkpoint, source, matrix, format) : floatRows(gpu, matrix);
  return async function* (part) {
    const slabs = streamFused(checkpoint, source, {
      // Quants are made of f32, the format of a norm's scale too.
      to: format !== undefined || matrix === undefined ? 'f32' : (matrix.dtype as FloatDtype),
      strideCols: matrix?.stride ?? paddedColumns(source.cols),
      rowsBegin: part.rowBegin,
      rowsEnd: part.rowBegin + part.rows,
      slabBytes: SLAB_BYTES,
      rowsMultiple: matrix?.lanes,
      // A scale has no room for what is not a number.
      check: check || format !== undefined,
    });
    for await (const slab of slabs) yield write(part, slab);
  };
}

/** Fills allocated weights with deterministic pseudo-random numbers that keep activations of order one. */
export async function loadSynthetic(
  gpu: Gpu,
  config: LlamaConfig,
  weights: ModelWeights,
  options: LoadOptions = {},
): Promise<void> {
  let done = 0;
  const ones = new Float32Array(config.hidden).fill(1);
  for (const { source, target: targetOf } of modelMatrices(config, namedVocabulary(config))) {
    options.signal?.throwIfAborted();
    options.onProgress?.(done, source.name);
    const target = targetOf(weights);
    if ('parts' in target) {
      // Uniform numbers of this amplitude have variance 1 / cols, the scale of trained projections.
      await fillSynthetic(gpu, target, seedOf(source.name), Math.sqrt(3 / source.cols));
      for (const part of target.parts) done += part.buffer.size;
    } else {
      gpu.queue.writeBuffer(target, 0, ones);
      done += target.size;
    }
    options.onProgress?.(done, source.name);
  }
  gpu.check();
}
