import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { openCheckpoint } from '../checkpoint/open.js';
import { RidgepointError } from '../errors.js';
import type { StoredDtype } from '../kernels/weights.js';
import type { ModelConfig } from './config.js';
import { settledHead, underFullNames } from './headless.js';
import { layerFormats, type LayerFormats } from './layer-formats.js';
import { refuseLeftovers } from './leftovers.js';
import { settledConfig, storedVocabulary } from './matrices.js';
import type { ModelDescription, OpenedModel } from './open.js';

/** A checkpoint that fits its configuration, and what it says beyond that. */
export interface OpenedWeights {
  readonly checkpoint: Checkpoint;
  /** As the checkpoint bears it out. */
  readonly config: ModelConfig;
  /** Of the layers' matrices that are kept in a format of their own. */
  readonly layers: LayerFormats;
  readonly notices: readonly string[];
}

/**
 * Opens a model's weights, their headers only, and compares them with its configuration.
 *
 * @param common the format of the layers' matrices where each may keep the one it is stored in; undefined where all have
 *   to be in one
 * @throws RidgepointError naming the tensor or file that is wrong
 */
export async function openWeights(
  {
    source: { name, folder },
    config: described,
    packed,
    saved,
    pooling,
  }: ModelDescription & Partial<Pick<OpenedModel, 'pooling'>>,
  common?: StoredDtype,
): Promise<OpenedWeights> {
  if (folder === undefined) throw new RidgepointError('internal', `${name}: a preset has no weights to open`);
  const exceptions = saved && (await import('../quantization/saved.js')).savedMatrices(saved);
  const stored = await openCheckpoint(folder, packed && { format: packed, exceptions });
  const checkpoint = underFullNames(stored);
  try {
    const config = await settledConfig(settledHead(described, stored, pooling), checkpoint);
    await refuseLeftovers(config, storedVocabulary(config, checkpoint), checkpoint);
    const notices: string[] = [];
    if (described.tiedEmbeddings && !config.tiedEmbeddings && described.headless === undefined) {
      const what = 'config.json ties lm_head to the embedding, but both are stored and differ';
      notices.push(`${name}: ${what}; each is used as what it is`);
    }
    const layers = common === undefined ? new Map() : await layerFormats(config, checkpoint, common);
    return { checkpoint, config, layers, notices };
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}
