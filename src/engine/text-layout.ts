import { BLOCK_TOKENS, paddedHeadDim } from '../kernels/attention/shape.js';
import type { ModelConfig } from '../model/config.js';
import { modelIdentity } from '../model/identity.js';
import type { KvLayout } from './kv-transfer.js';
import type { TextModel } from './text-model.js';

/** What of the layout of keys and values a model's configuration says. */
export const layoutOfConfig = (config: ModelConfig): Omit<KvLayout, 'checkpoint' | 'kvDtype'> => ({
  layers: config.layers,
  kvHeads: config.kvHeads,
  headDim: paddedHeadDim(config.headDim),
  blockTokens: BLOCK_TOKENS,
  rope: JSON.stringify([config.ropeTheta, config.ropeScaling]),
});

/** A layout as far as it is known without an engine. */
export interface ExpectedLayout extends Omit<KvLayout, 'checkpoint' | 'kvDtype'> {
  /** The hashes that the checkpoint may have; undefined where its weights are not here. */
  readonly checkpoints: readonly string[] | undefined;
}

/** The layout that engines of a model must have. */
export async function expectedLayout({
  source,
  config,
}: Pick<TextModel, 'source' | 'config'>): Promise<ExpectedLayout> {
  // A folder that has the texts alone says nothing of the weights that engines elsewhere have.
  const stored = await modelIdentity(source, false).catch(() => undefined);
  const checkpoints = stored === undefined ? undefined : [stored, await modelIdentity(source, true)];
  return { ...layoutOfConfig(config), checkpoints };
}
