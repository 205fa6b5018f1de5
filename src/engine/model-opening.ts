import { openCheckpoint, type Checkpoint } from '../checkpoint/checkpoint.js';
import { packedFormat, unpackedCheckpoint } from '../checkpoint/packed.js';
import { printable } from '../checkpoint/source.js';
import { parseLlamaConfig, type LlamaConfig } from '../model/config.js';
import { layerFormats, type LayerFormats } from '../model/layer-formats.js';
import { refuseLeftovers } from '../model/leftovers.js';
import { settledConfig, storedVocabulary } from '../model/matrices.js';
import { savedFormats, savedMatrices } from '../quantization/saved.js';
import type { EngineOptions } from './api.js';
import { endIds } from './end-ids.js';
import type { HostModel } from './host.js';
import { openTokenizer, readJson } from './model-files.js';
import { GENERATION_FILE, parseGenerationConfig } from './sampling.js';
import { engineLimits } from './sizes.js';
import { activationDtype, weightFormats } from './weight-format.js';

/**
 * All that can be told of a model without its weights, so that what is not supported is refused before gigabytes are
 * downloaded or read.
 *
 * @throws RidgepointError naming the file or option that is wrong
 */
export async function judgeModel(found: HostModel, options: EngineOptions) {
  const config = parseLlamaConfig(found.config, found.configName);
  const synthetic = options.weights === 'synthetic';
  const packed = synthetic ? undefined : packedFormat(found.config, found.configName);
  const saved = packed && savedFormats(found.config, found.configName);
  const formats = weightFormats(options, packed, saved);
  activationDtype(options.activations, formats.dtype);
  engineLimits(options, config);
  const generation = parseGenerationConfig(await readJson(found.folder, GENERATION_FILE));
  const ids = { bosTokenId: config.bosTokenId, eosTokenId: config.eosTokenIds[0] ?? generation.eosTokenIds[0] };
  const { tokenizer, chatText } = await openTokenizer(found.folder, options.chatTemplate, ids);
  const eosIds = endIds(config, generation.eosTokenIds, tokenizer);
  const notices = [...generation.notices];
  const unknown = [...(config.unknownKeys ?? []), ...(packed?.unknown ?? [])];
  if (unknown.length > 0) {
    const keys = unknown.map((key) => `"${printable(key)}"`).join(', ');
    notices.push(`${found.configName}: ignored, as nothing is known of it: ${keys}`);
  }
  if (tokenizer !== undefined && eosIds.length === 0) {
    notices.push(`${found.name}: no file names an end-of-text token, so generations end at their limit alone`);
  }
  return { config, packed, saved, formats, generation, tokenizer, chatText, eosIds, notices };
}

export type JudgedModel = Awaited<ReturnType<typeof judgeModel>>;

/** A checkpoint that fits its configuration, and what it says beyond that. */
export interface OpenedWeights {
  readonly checkpoint: Checkpoint;
  readonly config: LlamaConfig;
  readonly layers: LayerFormats;
  readonly notices: readonly string[];
}

/**
 * Opens a model's weights and compares them with its configuration.
 *
 * @throws RidgepointError naming the tensor or file that is wrong
 */
export async function openWeights(
  { name, folder }: HostModel,
  judged: Pick<JudgedModel, 'config' | 'packed' | 'saved' | 'formats'>,
  options: Pick<EngineOptions, 'dtype'>,
): Promise<OpenedWeights> {
  const { packed, saved, formats } = judged;
  const opened = await openCheckpoint(folder!);
  try {
    const checkpoint =
      packed === undefined ? opened : unpackedCheckpoint(opened, packed, saved && savedMatrices(saved));
    const config = await settledConfig(judged.config, checkpoint);
    await refuseLeftovers(config, storedVocabulary(config, checkpoint), checkpoint);
    const notices: string[] = [];
    if (config.tiedEmbeddings !== judged.config.tiedEmbeddings) {
      const what = 'config.json ties lm_head to the embedding, but both are stored and differ';
      notices.push(`${name}: ${what}; each is used as what it is`);
    }
    const auto = (options.dtype ?? 'auto') === 'auto' && saved === undefined;
    const layers: LayerFormats = auto ? await layerFormats(config, checkpoint, formats.dtype) : new Map();
    return { checkpoint, config, layers, notices };
  } catch (error) {
    await opened.close();
    throw error;
  }
}
