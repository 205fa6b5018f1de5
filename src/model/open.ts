import type { PackedFormat } from '../checkpoint/packed/format.js';
import { printable, type ModelFolder } from '../checkpoint/source.js';
import { leftBeside, readJsonFile } from '../checkpoint/mistakes.js';
import type { SavedFormats } from '../quantization/saved.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import type { ModelConfig } from './config.js';
import { SAMPLING_KEYS } from './config-keys.js';
import { endIds, idsOf } from './end-ids.js';
import { readPooling, type ModelPooling } from './pooling.js';
import { readConfig } from './read-config.js';
import { openTokenizer, type ChatRenderer } from './tokenizer-files.js';

export const GENERATION_FILE = 'generation_config.json';

/** A model as a platform found it: a folder of files, or a preset that has a configuration only. */
export interface ModelSource {
  readonly name: string;
  readonly folder: ModelFolder | undefined;
  /** The parsed `config.json`. */
  readonly config: unknown;
  /** Where it came from, for messages: `config.json` or `preset llama-2-7b`. */
  readonly configName: string;
}

/** How a checkpoint's weights are quantised, by its `config.json`. */
export interface StoredFormat {
  /** Undefined for floats. */
  readonly packed: PackedFormat | undefined;
  /** Where it was saved by this project. */
  readonly saved: SavedFormats | undefined;
}

const FLOATS: StoredFormat = { packed: undefined, saved: undefined };
const isSaid = (value: unknown): boolean => value !== undefined && value !== null && value !== false;

/** @throws RidgepointError naming the method or setting that is not supported */
export async function storedFormat({
  config,
  configName,
}: Pick<ModelSource, 'config' | 'configName'>): Promise<StoredFormat> {
  const { quantization_config: settings, quantization: others } = config as Record<string, unknown>;
  if (!isSaid(settings) && !isSaid(others)) return FLOATS;
  const { packedFormat } = await import('../checkpoint/quantization-config.js');
  const packed = packedFormat(config, configName);
  if (packed === undefined) return FLOATS;
  const { savedFormats } = await import('../quantization/saved.js');
  return { packed, saved: savedFormats(config, configName) };
}

/** What `config.json` alone tells of a model. */
export interface ModelDescription extends StoredFormat {
  readonly source: ModelSource;
  readonly config: ModelConfig;
}

/** @param weights whether those of its checkpoint are wanted, so that their format has to be one that can be read */
export async function describeModel(source: ModelSource, { weights = true } = {}): Promise<ModelDescription> {
  const config = readConfig(source);
  return { source, config, ...(weights ? await storedFormat(source) : FLOATS) };
}

/** All of a model but its weights. */
export interface OpenedModel extends ModelDescription {
  /** The parsed `generation_config.json`; where there is none, how to sample by `config.json`. */
  readonly generationConfig: unknown;
  /** Where that stands. */
  readonly generationName: string;
  /** Undefined without a `tokenizer.json`. */
  readonly tokenizer: Tokenizer | undefined;
  /** Undefined without a chat template. */
  readonly chatText: ChatRenderer | undefined;
  /** The ids that end a generation. */
  readonly eosIds: readonly number[];
  /** How it makes embeddings of its hidden states; undefined where it is not meant for it. */
  readonly pooling: ModelPooling | undefined;
  /** What a user should know of the files, a sentence each. */
  readonly notices: readonly string[];
}

/** How to sample, by models that were saved before there was a `generation_config.json`. */
function samplingOf(config: unknown): Record<string, unknown> {
  const given = config as Record<string, unknown>;
  return Object.fromEntries(SAMPLING_KEYS.filter((key) => Object.hasOwn(given, key)).map((key) => [key, given[key]]));
}

/**
 * Reads a model's small files. What is wrong with them is told of here, before a byte of weights is fetched or read.
 *
 * @param chatTemplate Jinja text that stands before the folder's own
 * @throws RidgepointError naming the file that is wrong
 */
export async function openModel(description: ModelDescription, chatTemplate?: string): Promise<OpenedModel> {
  const { source, config, packed } = description;
  const { folder, name } = source;
  const ownFile = folder && (await readJsonFile(folder, GENERATION_FILE));
  // As transformers and vLLM do.
  const generationConfig = ownFile ?? samplingOf(source.config);
  const generationName = ownFile === undefined ? source.configName : GENERATION_FILE;
  const generationEos = idsOf(ownFile, 'eos_token_id');
  const ids = { bosTokenId: config.bosTokenId, eosTokenId: config.eosTokenIds[0] ?? generationEos[0] };
  const { tokenizer, chatText } = await openTokenizer(folder, chatTemplate, ids);
  const eosIds = endIds(config, generationEos, tokenizer);
  const notices = folder === undefined ? [] : await leftBeside(folder);
  const unknown = [...(config.unknownKeys ?? []), ...(packed?.unknown ?? [])];
  if (unknown.length > 0) {
    const keys = unknown.map((key) => `"${printable(key)}"`).join(', ');
    notices.push(`${source.configName}: ignored, as nothing is known of it: ${keys}`);
  }
  const beyond = [...new Set([...generationEos, ...config.eosTokenIds])].filter((id) => id >= config.vocab);
  if (beyond.length > 0) {
    const ids = beyond.join(', ');
    notices.push(`${name}: "eos_token_id" ${ids} is beyond the model's ${config.vocab} tokens, so it ends nothing`);
  }
  for (const end of tokenizer?.unknownEnds ?? []) {
    notices.push(`${name}: "eos_token" "${printable(end)}" is no token of its vocabulary, so it ends nothing`);
  }
  if (tokenizer !== undefined && eosIds.length === 0) {
    notices.push(`${name}: no file names an end-of-text token, so generations end at their limit alone`);
  }
  const pooling = folder && (await readPooling(folder));
  return { ...description, generationConfig, generationName, tokenizer, chatText, eosIds, pooling, notices };
}
