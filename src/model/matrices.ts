import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { FusedMatrix, FusedPart, RowMap } from '../checkpoint/layout.js';
import { RidgepointError } from '../errors.js';
import type { WeightMatrix } from '../kernels/weights.js';
import type { ModelConfig } from './config.js';
import { familyOf, graphOf } from './families/index.js';
import { layersOf, vectorsOf, type NormVector, type Project } from './graph.js';
import { matrixName, partName } from './matrix-names.js';
import type { ModelWeights } from './weights.js';

/** A matrix of a model, and the tensors of a checkpoint that it is made of. */
export interface ModelMatrix {
  /** A vector has one column. */
  readonly source: FusedMatrix;
  /** Embedding and `lm_head`, whose format is their own; the layers' matrices; the scales of norms and what lies with them. */
  readonly kind: 'vocabulary' | 'layer' | 'norm';
  /** Where it goes. What belongs to a norm is a vector in f32; everything else a matrix. */
  readonly target: (weights: ModelWeights) => WeightMatrix | GPUBuffer;
  /** Of a vector: the numbers that scale, from and up to which row; the others are added. */
  readonly ones?: readonly (readonly [number, number])[];
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
export function namedVocabulary({ tiedEmbeddings }: ModelConfig): VocabularyTensors {
  return { embedding: EMBEDDING, head: tiedEmbeddings ? undefined : HEAD };
}

/**
 * As a checkpoint stores them; the embedding serves as both where the configuration says so.
 *
 * @throws RidgepointError when neither is stored, or only one although the configuration says they differ
 */
export function storedVocabulary(config: ModelConfig, checkpoint: Pick<Checkpoint, 'tensors'>): VocabularyTensors {
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
  config: ModelConfig,
  checkpoint: Pick<Checkpoint, 'tensors' | 'readRange'>,
): Promise<ModelConfig> {
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

/** Every matrix and vector of a model in the order the forward pass uses them. */
export function modelMatrices(config: ModelConfig, vocabulary: VocabularyTensors): ModelMatrix[] {
  const { hidden, headDim, vocab } = config;
  const { tensors } = familyOf(config);
  const graph = graphOf(config);
  const table = (tensor: string, target: ModelMatrix['target']): ModelMatrix => {
    const parts = [{ tensor, rows: vocab, map: { kind: 'block', offset: 0 } as const }];
    return { source: { name: tensor, rows: vocab, cols: hidden, parts }, kind: 'vocabulary', target };
  };
  const vector = (
    { norm, parts, length }: NormVector,
    prefix: string,
    target: (weights: ModelWeights, name: string) => GPUBuffer,
  ): ModelMatrix => ({
    kind: 'norm',
    target: (weights) => target(weights, norm.name),
    ones: parts.filter(({ adds }) => !adds).map(({ at, rows }) => [at, at + rows]),
    source: {
      name: `${prefix}${tensors[norm.scale]}`,
      rows: length,
      cols: 1,
      parts: parts.map(({ role, rows, at, headDim: rotary }) => ({
        tensor: `${prefix}${tensors[role]}`,
        rows,
        map: rotary === undefined ? { kind: 'block', offset: at } : { kind: 'rotary', offset: at, headDim: rotary },
      })),
    },
  });
  const layers = layersOf(graph).flatMap((values, i) => {
    const prefix = matrixName(i, '');
    const vectors = vectorsOf(values, headDim);
    return values.flatMap((value): ModelMatrix[] => {
      if (value.op === 'norm') {
        const found = vectors.find(({ norm }) => norm === value)!;
        return [vector(found, prefix, (weights, name) => weights.layers[i].vectors[name])];
      }
      if (value.op !== 'project') return [];
      const source = projectSource(config, value, i);
      return [{ source, kind: 'layer', target: (weights) => weights.layers[i].matrices[value.name] }];
    });
  });
  return [
    table(vocabulary.embedding, (weights) => weights.embedding),
    ...layers,
    ...vectorsOf(graph.after, headDim).map((each) => vector(each, '', (weights) => weights.finalNorm)),
    ...(vocabulary.head === undefined ? [] : [table(vocabulary.head, (weights) => weights.lmHead)]),
  ];
}

/** The tensors of a layer's product, and where their rows go. */
function projectSource(config: ModelConfig, project: Project, layer: number): FusedMatrix {
  const { tensors } = familyOf(config);
  let offset = 0;
  const parts = project.from.map(({ role, rows, rotates }, phase): FusedPart => {
    const begin = offset;
    offset += rows;
    const map: RowMap =
      project.rows === 'paired'
        ? { kind: 'interleave', phase: phase as 0 | 1 }
        : rotates
          ? { kind: 'rotary', offset: begin, headDim: config.headDim }
          : { kind: 'block', offset: begin };
    return { tensor: matrixName(layer, tensors[role]), rows, map };
  });
  return { name: matrixName(layer, partName(config, project)), rows: project.n, cols: project.k, parts };
}
