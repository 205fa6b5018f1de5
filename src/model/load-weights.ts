import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { FusedMatrix } from '../checkpoint/layout.js';
import { streamFused } from '../checkpoint/stream.js';
import { RidgepointError } from '../errors.js';
import type { Gpu } from '../gpu/gpu.js';
import { fillSynthetic, seedOf } from '../kernels/synthetic.js';
import { paddedColumns, type FloatDtype } from '../kernels/weights.js';
import type { WeightMatrix } from '../kernels/weights.js';
import { quantFormat } from '../quantization/formats.js';
import type { LlamaConfig } from './config.js';
import { floatRows, quantizedWriter, type RowWriter } from './row-writer.js';
import type { ModelWeights } from './weights.js';

/** Where a matrix of the engine comes from, and where it goes. */
interface Loading {
  readonly source: FusedMatrix;
  /** A norm's scale is a vector in f32; everything else a matrix. */
  readonly target: WeightMatrix | GPUBuffer;
}

const EMBEDDING = 'model.embed_tokens.weight';
const HEAD = 'lm_head.weight';

/**
 * Bytes of one upload. Dawn copies uploads of a few MiB through a buffer it keeps, and makes a fresh one for each larger
 * one, whose page faults took a third of the loading time on lavapipe.
 */
const SLAB_BYTES = 2 << 20;

/** Uploads waiting on the queue hold host memory, so the loader lets them drain after this many bytes. */
const IN_FLIGHT_BYTES = 64 << 20;

/**
 * Whether embedding and head are one matrix. Where the configuration says so and the checkpoint stores both all the
 * same, the embedding serves, as in transformers.
 *
 * @throws RidgepointError when neither is stored, or only one although the configuration says they differ
 */
export function embeddingsTied(config: LlamaConfig, checkpoint: Checkpoint): boolean {
  const embedding = checkpoint.tensors.has(EMBEDDING);
  const head = checkpoint.tensors.has(HEAD);
  if (embedding && head) return config.tiedEmbeddings;
  if ((embedding || head) && config.tiedEmbeddings) return true;
  const missing = embedding ? HEAD : EMBEDDING;
  const present = embedding ? EMBEDDING : HEAD;
  const hint = embedding || head ? `; ${present} could serve for both if config.json said "tie_word_embeddings"` : '';
  throw new RidgepointError('checkpoint', `${missing}: not in the checkpoint${hint}`);
}

/** Every matrix of a model with the tensors it is made of, in the order the forward pass uses them. */
function loadings(config: LlamaConfig, weights: ModelWeights, stored: { embedding: string; head: string }): Loading[] {
  const { hidden, intermediate, heads, kvHeads, headDim, vocab } = config;
  const list: Loading[] = [];
  const plain = (tensor: string, rows: number, cols: number, target: Loading['target']): void => {
    const source = { name: tensor, rows, cols, parts: [{ tensor, rows, map: { kind: 'block', offset: 0 } as const }] };
    list.push({ source, target });
  };
  plain(stored.embedding, vocab, hidden, weights.embedding);
  weights.layers.forEach((layer, i) => {
    const prefix = `model.layers.${i}`;
    const q = heads * headDim;
    const kv = kvHeads * headDim;
    plain(`${prefix}.input_layernorm.weight`, 1, hidden, layer.attnNorm);
    list.push({
      target: layer.qkv,
      source: {
        name: `${prefix}.self_attn.qkv`,
        rows: q + 2 * kv,
        cols: hidden,
        parts: [
          { tensor: `${prefix}.self_attn.q_proj.weight`, rows: q, map: { kind: 'rotary', offset: 0, headDim } },
          { tensor: `${prefix}.self_attn.k_proj.weight`, rows: kv, map: { kind: 'rotary', offset: q, headDim } },
          { tensor: `${prefix}.self_attn.v_proj.weight`, rows: kv, map: { kind: 'block', offset: q + kv } },
        ],
      },
    });
    plain(`${prefix}.self_attn.o_proj.weight`, hidden, q, layer.oProj);
    plain(`${prefix}.post_attention_layernorm.weight`, 1, hidden, layer.mlpNorm);
    list.push({
      target: layer.gateUp,
      source: {
        name: `${prefix}.mlp.gate_up`,
        rows: 2 * intermediate,
        cols: hidden,
        parts: [
          { tensor: `${prefix}.mlp.gate_proj.weight`, rows: intermediate, map: { kind: 'interleave', phase: 0 } },
          { tensor: `${prefix}.mlp.up_proj.weight`, rows: intermediate, map: { kind: 'interleave', phase: 1 } },
        ],
      },
    });
    plain(`${prefix}.mlp.down_proj.weight`, hidden, intermediate, layer.downProj);
  });
  plain('model.norm.weight', 1, hidden, weights.finalNorm);
  if (weights.lmHead !== weights.embedding) plain(stored.head, vocab, hidden, weights.lmHead);
  return list;
}

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
  const only = weights.lmHead === weights.embedding && !checkpoint.tensors.has(EMBEDDING) ? HEAD : EMBEDDING;
  let done = 0;
  let inFlight = 0;
  for (const { source, target } of loadings(config, weights, { embedding: only, head: HEAD })) {
    options.onProgress?.(done, source.name);
    const matrix = 'parts' in target ? target : undefined;
    const parts = matrix?.parts ?? [{ buffer: target as GPUBuffer, rowBegin: 0, rows: 1 }];
    const format = matrix && quantFormat(matrix.dtype);
    const strideCols = matrix?.stride ?? paddedColumns(source.cols);
    // Quants are made of f32, the format of a norm's scale too.
    const to = format !== undefined || matrix === undefined ? 'f32' : (matrix.dtype as FloatDtype);
    const write: RowWriter =
      format && matrix ? await quantizedWriter(gpu, checkpoint, source, matrix, format) : floatRows(gpu, matrix);
    for (const part of parts) {
      const rowsEnd = part.rowBegin + part.rows;
      const slabs = streamFused(checkpoint, source, {
        to,
        strideCols,
        rowsBegin: part.rowBegin,
        rowsEnd,
        slabBytes: SLAB_BYTES,
        rowsMultiple: matrix?.lanes,
        // A scale has no room for what is not a number.
        check: options.check === true || format !== undefined,
      });
      for await (const slab of slabs) {
        options.signal?.throwIfAborted();
        const written = write(part, slab);
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

/** Fills allocated weights with deterministic pseudo-random numbers that keep activations of order one. */
export async function loadSynthetic(
  gpu: Gpu,
  config: LlamaConfig,
  weights: ModelWeights,
  options: LoadOptions = {},
): Promise<void> {
  let done = 0;
  const ones = new Float32Array(config.hidden).fill(1);
  for (const { source, target } of loadings(config, weights, { embedding: EMBEDDING, head: HEAD })) {
    options.signal?.throwIfAborted();
    options.onProgress?.(done, source.name);
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
