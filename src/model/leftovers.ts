import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { printable } from '../checkpoint/source.js';
import { RidgepointError } from '../errors.js';
import type { ModelConfig } from './config.js';
import { modelMatrices, type VocabularyTensors } from './matrices.js';

/** Of what older tools saved along and newer ones compute, and of caches kept in 8 bits; no Llama needs it. */
const HARMLESS =
  /(^|\.)(rotary_emb\.(inv_freq|cos_cached|sin_cached)|self_attn\.(k_scale|v_scale|k_proj\.k_scale|v_proj\.v_scale|masked_bias))$/;

/** Names shown of a long list. */
const SHOWN = 4;
/** A bias has one number an output, and is looked at whole. */
const MOST_BYTES = 1 << 22;

/**
 * Sees to it that the model uses every tensor of its checkpoint: one that is left out is a part of the model that
 * config.json does not tell of, and the text would be another without a word. A bias of zeros changes nothing.
 *
 * @throws RidgepointError naming the tensors that nobody has a place for
 */
export async function refuseLeftovers(
  config: ModelConfig,
  vocabulary: VocabularyTensors,
  checkpoint: Pick<Checkpoint, 'tensors' | 'readRange'>,
): Promise<void> {
  const used = new Set(modelMatrices(config, vocabulary).flatMap(({ source }) => source.parts.map((p) => p.tensor)));
  // What is missing is told of when it is loaded, and says more.
  if ([...used].some((name) => !checkpoint.tensors.has(name))) return;
  const left: string[] = [];
  for (const [name, { begin, end }] of checkpoint.tensors) {
    if (used.has(name) || HARMLESS.test(name) || isOtherVocabulary(name, vocabulary)) continue;
    if (name.endsWith('.bias') && end - begin <= MOST_BYTES && (await isZero(checkpoint, name, end - begin))) continue;
    left.push(name);
  }
  if (left.length === 0) return;
  const names = left
    .slice(0, SHOWN)
    .map((name) => printable(checkpoint.tensors.get(name)!.name))
    .join(', ');
  const what =
    left.length > SHOWN
      ? `${names} and ${left.length - SHOWN} more are`
      : `${names} ${left.length === 1 ? 'is' : 'are'}`;
  throw new RidgepointError('checkpoint', `${what} in the checkpoint, but not in the model${why(left, config)}`);
}

/** The embedding's twin of a tied checkpoint, equal to it. */
function isOtherVocabulary(name: string, { embedding, head }: VocabularyTensors): boolean {
  const both = ['lm_head.weight', 'model.embed_tokens.weight'];
  return head === undefined && both.includes(name) && both.includes(embedding);
}

function why(left: readonly string[], config: ModelConfig): string {
  const layer = left
    .map((name) => Number(/^model\.layers\.(\d+)\./.exec(name)?.[1] ?? -1))
    .find((i) => i >= config.layers);
  if (layer !== undefined) {
    return `: config.json says "num_hidden_layers" ${config.layers}, and there is a layer ${layer}; correct it`;
  }
  if (left.some((name) => name.endsWith('.bias'))) return '; projections with a bias are not supported';
  if (left.some((name) => /[qk]_norm/.test(name))) return '; norms of queries and keys are not supported';
  return ' that config.json describes; choose a plain Llama, or remove them if they belong to something else';
}

async function isZero(checkpoint: Pick<Checkpoint, 'readRange'>, name: string, size: number): Promise<boolean> {
  const bytes = new Uint8Array(size);
  await checkpoint.readRange(name, 0, bytes);
  return bytes.every((byte) => byte === 0);
}
