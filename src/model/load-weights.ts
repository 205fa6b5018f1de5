import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { FusedMatrix } from '../checkpoint/layout.js';
import type { PackedRows } from '../checkpoint/packed-rows.js';
import { streamJobs, type StreamJob } from '../checkpoint/stream.js';
import type { Gpu } from '../gpu/gpu.js';
import { UploadRing } from '../gpu/upload-ring.js';
import { fillSynthetic, seedOf } from '../kernels/synthetic.js';
import { paddedColumns, type FloatDtype } from '../kernels/weights.js';
import type { WeightMatrix, WeightPart } from '../kernels/weights.js';
import { quantFormat, type QuantFormat } from '../quantization/formats.js';
import type { LlamaConfig } from './config.js';
import { modelMatrices, namedVocabulary, storedVocabulary } from './matrices.js';
import { packedParts, writePacked } from './packed-writer.js';
import { floatRows, quantizedWriter, type RowWriter } from './row-writer.js';
import type { ModelWeights } from './weights.js';

/** Bytes of one upload: a large read, and some of them fit a buffer of the ring. */
const SLAB_BYTES = 4 << 20;

export interface LoadOptions {
  /** Refuse NaN and infinite weights. */
  readonly check?: boolean;
  /** Bytes that have reached the GPU, and the matrix being loaded. */
  readonly onProgress?: (bytes: number, item: string) => void;
  readonly signal?: AbortSignal;
  /** Bytes of one upload; 4 MiB by default. */
  readonly slabBytes?: number;
}

/** A part of a matrix as it is streamed. */
interface PartJob extends StreamJob {
  readonly part: WeightPart;
  readonly write: RowWriter['write'];
}

/** A matrix whose quants are taken as they lie. */
interface PackedMatrix {
  readonly source: FusedMatrix;
  readonly matrix: WeightMatrix;
  readonly format: QuantFormat;
  readonly packed: readonly PackedRows[];
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
  const { signal, onProgress, slabBytes = SLAB_BYTES } = options;
  const tiedEmbeddings = weights.lmHead === weights.embedding;
  const vocabulary = storedVocabulary({ ...config, tiedEmbeddings }, checkpoint);
  // A small model needs no large buffers.
  const ring = new UploadRing(gpu, { slotBytes: Math.min(2 * slabBytes, weights.bytes) });
  let done = 0;
  const count = (bytes: number, name: string): void => {
    signal?.throwIfAborted();
    done += bytes;
    onProgress?.(done, name);
  };
  const matrices = modelMatrices(config, vocabulary)[Symbol.iterator]();
  let packed: PackedMatrix | undefined;
  /** The matrices that are streamed, up to one that is not. */
  async function* streamed(): AsyncGenerator<PartJob> {
    packed = undefined;
    for (let next = matrices.next(); !next.done; next = matrices.next()) {
      const { source, target: targetOf } = next.value;
      const target = targetOf(weights);
      const matrix = 'parts' in target ? target : undefined;
      packed = matrix && (await packedMatrix(checkpoint, source, matrix));
      if (packed !== undefined) return;
      yield* partJobs(ring, checkpoint, source, target, { slabBytes, check: options.check });
    }
  }
  try {
    do {
      for await (const { job, ...slab } of streamJobs(checkpoint, streamed())) {
        count(await job.write(job.part, slab), job.matrix.name);
      }
      // Set where streaming ended at one.
      if (packed !== undefined) for await (const bytes of packedSlabs(ring, packed, slabBytes)) count(...bytes);
    } while (packed !== undefined);
    await ring.drain();
  } finally {
    ring.destroy();
  }
}

/** Writes a matrix as it is packed. @returns bytes written, and its name, slab by slab */
async function* packedSlabs(
  ring: UploadRing,
  { source, packed, matrix, format }: PackedMatrix,
  slabBytes: number,
): AsyncGenerator<[number, string]> {
  for (const part of matrix.parts) {
    const slabs = writePacked(ring, source, packed, matrix, format, part, slabBytes);
    for await (const bytes of slabs) yield [bytes, source.name];
  }
}

async function packedMatrix(
  checkpoint: Checkpoint,
  source: FusedMatrix,
  matrix: WeightMatrix,
): Promise<PackedMatrix | undefined> {
  const format = quantFormat(matrix.dtype);
  const packed = format && (await packedParts(checkpoint, source, format));
  return packed && { source, matrix, format, packed };
}

/** What is streamed into a matrix or vector, part by part. */
async function* partJobs(
  ring: UploadRing,
  checkpoint: Checkpoint,
  source: FusedMatrix,
  target: WeightMatrix | GPUBuffer,
  { slabBytes, check = false }: Pick<LoadOptions, 'slabBytes' | 'check'>,
): AsyncGenerator<PartJob> {
  const matrix = 'parts' in target ? target : undefined;
  const format = matrix && quantFormat(matrix.dtype);
  const writer =
    format && matrix ? await quantizedWriter(ring, checkpoint, source, matrix, format) : floatRows(ring, matrix);
  for (const part of matrix?.parts ?? [{ buffer: target as GPUBuffer, rowBegin: 0, rows: 1 }]) {
    yield {
      matrix: source,
      part,
      ...writer,
      // Quants are made of f32, the format of a norm's scale too.
      to: format !== undefined || matrix === undefined ? 'f32' : (matrix.dtype as FloatDtype),
      strideCols: matrix?.stride ?? paddedColumns(source.cols),
      rowsBegin: part.rowBegin,
      rowsEnd: part.rowBegin + part.rows,
      slabBytes,
      rowsMultiple: matrix?.lanes,
      // A scale has no room for what is not a number.
      check: check || format !== undefined,
    };
  }
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
