import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { FusedMatrix } from '../checkpoint/layout.js';
import { RidgepointError } from '../errors.js';
import type { WeightMatrix } from '../kernels/weights.js';
import type { LlamaConfig } from './config.js';
import type { ModelWeights } from './weights.js';

/** A matrix of a model, and the tensors of a checkpoint that it is made of. */
export interface ModelMatrix {
  readonly source: FusedMatrix;
  /** Embedding and `lm_head`, whose format is their own; the layers' matrices; the scales of norms. */
  readonly kind: 'vocabulary' | 'layer' | 'norm';
  /** Where it goes. A norm's scale is a vector in f32; everything else a matrix. */
  readonly target: (weights: ModelWeights) => WeightMatrix | GPUBuffer;
}

/** The tensors of embedding and head. */
export interface VocabularyTensors {
  readonly embedding: string;
  /** Absent where the embedding serves as head too. */
  readonly head: string | undefined;
}

const EMBEDDING = 'model.embed_tokens.weight';
const HEAD = 'lm_head.weight';

/** As a checkpoint of a configuration has them that keeps to it. */
export function namedVocabulary({ tiedEmbeddings }: LlamaConfig): VocabularyTensors {
  return { embedding: EMBEDDING, head: tiedEmbeddings ? undefined : HEAD };
}

/**
 * As a checkpoint stores them; the embedding serves as both where the configuration says so.
 *
 * @throws RidgepointError when neither is stored, or only one although the configuration says they differ
 */
export function storedVocabulary(config: LlamaConfig, checkpoint: Pick<Checkpoint, 'tensors'>): VocabularyTensors {
  const embedding = checkpoint.tensors.has(EMBEDDING);
  const head = checkpoint.tensors.has(HEAD);
  if (embedding && head) return namedVocabulary(config);
  if ((embedding || head) && config.tiedEmbeddings) return { embedding: embedding ? EMBEDDING : HEAD, head: undefined };
  const missing = embedding ? HEAD : EMBEDDING;
  const present = embedding ? EMBEDDING : HEAD;
  const hint = embedding || head ? `; ${present} could serve for both if config.json said "tie_word_embeddings"` : '';
  throw new RidgepointError('checkpoint', `${missing}: not in the checkpoint${hint}`);
}

/**
 * A configuration as the checkpoint bears it out: where it says that one matrix serves as embedding and head, and two
 * are stored that differ, they are two, as in transformers 5.
 */
export async function settledConfig(
  config: LlamaConfig,
  checkpoint: Pick<Checkpoint, 'tensors' | 'readRange'>,
): Promise<LlamaConfig> {
  const both = checkpoint.tensors.has(EMBEDDING) && checkpoint.tensors.has(HEAD);
  if (!config.tiedEmbeddings || !both || (await areEqual(checkpoint, EMBEDDING, HEAD))) return config;
  return { ...config, tiedEmbeddings: false };
}

/** Bytes compared at once. */
const COMPARED = 4 << 20;

/** Whether two tensors hold the same numbers in the same format. */
async function areEqual(
  checkpoint: Pick<Checkpoint, 'tensors' | 'readRange'>,
  ...names: readonly [string, string]
): Promise<boolean> {
  const [one, other] = names.map((name) => checkpoint.tensors.get(name)!);
  if (one.dtype !== other.dtype || one.shape.join() !== other.shape.join()) return false;
  const size = one.end - one.begin;
  for (let begin = 0; begin < size; begin += COMPARED) {
    const pieces = names.map(() => new Uint8Array(Math.min(COMPARED, size - begin)));
    await Promise.all(names.map((name, i) => checkpoint.readRange(name, begin, pieces[i])));
    if (pieces[0].some((byte, i) => byte !== pieces[1][i])) return false;
  }
  return true;
}

/** Every matrix of a model in the order the forward pass uses them. */
export function modelMatrices(config: LlamaConfig, vocabulary: VocabularyTensors): ModelMatrix[] {
  const { hidden, intermediate, heads, kvHeads, headDim, vocab } = config;
  const list: ModelMatrix[] = [];
  const plain = (
    tensor: string,
    [rows, cols]: readonly [number, number],
    kind: ModelMatrix['kind'],
    target: ModelMatrix['target'],
  ): void => {
    const source = { name: tensor, rows, cols, parts: [{ tensor, rows, map: { kind: 'block', offset: 0 } as const }] };
    list.push({ source, kind, target });
  };
  plain(vocabulary.embedding, [vocab, hidden], 'vocabulary', (weights) => weights.embedding);
  for (let i = 0; i < config.layers; i++) {
    const prefix = `model.layers.${i}`;
    const q = heads * headDim;
    const kv = kvHeads * headDim;
    plain(`${prefix}.input_layernorm.weight`, [1, hidden], 'norm', ({ layers }) => layers[i].attnNorm);
    list.push({
      kind: 'layer',
      target: ({ layers }) => layers[i].qkv,
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
    plain(`${prefix}.self_attn.o_proj.weight`, [hidden, q], 'layer', ({ layers }) => layers[i].oProj);
    plain(`${prefix}.post_attention_layernorm.weight`, [1, hidden], 'norm', ({ layers }) => layers[i].mlpNorm);
    list.push({
      kind: 'layer',
      target: ({ layers }) => layers[i].gateUp,
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
    plain(`${prefix}.mlp.down_proj.weight`, [hidden, intermediate], 'layer', ({ layers }) => layers[i].downProj);
  }
  plain('model.norm.weight', [1, hidden], 'norm', (weights) => weights.finalNorm);
  if (vocabulary.head !== undefined) {
    plain(vocabulary.head, [vocab, hidden], 'vocabulary', (weights) => weights.lmHead);
  }
  return list;
}
