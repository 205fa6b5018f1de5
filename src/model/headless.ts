import type { Checkpoint, TensorInfo } from '../checkpoint/checkpoint.js';
import type { ModelConfig } from './config.js';
import type { ModelPooling } from './pooling.js';

const PREFIX = 'model.';
/** Where the tensors of a model without a head lie. */
const INSIDE = /^(embed_tokens|layers|norm)\./;
const EMBEDDING = 'embed_tokens.weight';
const HEAD = 'lm_head.weight';

/** Whether a checkpoint's names are those of the layers alone: `layers.0...` where a model with a head has `model.layers.0...`. */
function isBare({ tensors }: Pick<Checkpoint, 'tensors'>): boolean {
  return tensors.has(EMBEDDING) && !tensors.has(PREFIX + EMBEDDING);
}

/**
 * A checkpoint under the names that families have, whether it was saved with a head around its layers or without.
 *
 * Errors name tensors as they are stored.
 */
export function underFullNames(checkpoint: Checkpoint): Checkpoint {
  if (!isBare(checkpoint)) return checkpoint;
  const tensors = new Map<string, TensorInfo>();
  for (const [name, info] of checkpoint.tensors) {
    const full = PREFIX + name;
    // One that is there under both names is left over under one of them.
    tensors.set(INSIDE.test(name) && !checkpoint.tensors.has(full) ? full : name, info);
  }
  const stored = (name: string): string => tensors.get(name)?.name ?? name.replace(PREFIX, '');
  return {
    tensors,
    totalBytes: checkpoint.totalBytes,
    require: (name, shape) => checkpoint.require(stored(name), shape),
    readRange: (name, byteOffset, into) => checkpoint.readRange(stored(name), byteOffset, into),
    quantsOf: (name) => checkpoint.quantsOf(stored(name)),
    close: () => checkpoint.close(),
  };
}

/**
 * A configuration with or without a head, as the checkpoint bears it out. None is stored, and none is meant, where
 * `architectures` names the layers alone; where the names of the tensors do, or a folder of sentence-transformers has it,
 * nothing is missing either.
 *
 * @param stored under the names it has
 * @param pooling what the folder says of embeddings
 */
export function settledHead(
  config: ModelConfig,
  stored: Pick<Checkpoint, 'tensors'>,
  pooling: ModelPooling | undefined,
): ModelConfig {
  const { headless = false, ...rest } = config;
  if (stored.tensors.has(HEAD)) return headless ? rest : config;
  const isMeant = headless || (!config.tiedEmbeddings && (isBare(stored) || pooling !== undefined));
  return isMeant ? { ...config, tiedEmbeddings: true, headless: true } : config;
}

/** A row's hidden states where no file says how: the last one's, of length 1. It has seen all that is before it. */
const USUAL: ModelPooling = { pooling: 'last', normalize: true };

/** How a model makes embeddings: as its folder says, and where that says nothing, the usual way of one without a head. */
export function poolingOfModel(own: ModelPooling | undefined, { headless }: ModelConfig): ModelPooling | undefined {
  return own ?? (headless ? USUAL : undefined);
}

/** Why a model writes no text. */
export const writesNothing = (model: string): string =>
  `${model} was saved without lm_head, as models for embeddings are, and writes no text; ask it for embeddings, or choose the model that it was made of`;
