import { RidgepointError } from '../errors.js';
import { checkConfigKeys } from './config-keys.js';
import type { Family } from './families/family.js';
import { FAMILIES, type FamilyName } from './families/index.js';
import { parseRope, type RopeScaling } from './rope-config.js';

export type { RopeScaling };

/** Shape and constants of a model, free of any checkpoint or device. */
export interface ModelConfig {
  readonly family: FamilyName;
  readonly layers: number;
  readonly hidden: number;
  readonly intermediate: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly vocab: number;
  /** Longest sequence, prompt and output together, that the model was made for. */
  readonly maxPositions: number;
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling;
  readonly rmsNormEps: number;
  /** Tokens that a token sees in attention, itself included; all before it when absent. */
  readonly window?: number;
  /** Layers that have it, by number; all when absent. */
  readonly windowed?: readonly boolean[];
  /** `lm_head` and `embed_tokens` are one matrix. */
  readonly tiedEmbeddings: boolean;
  /** It has no `lm_head`, so that it writes no text; the embedding stands in its place, and nothing is sampled of it. */
  readonly headless?: true;
  readonly bosTokenId: number | undefined;
  readonly eosTokenIds: readonly number[];
  /** Keys of the file that nothing is known of. */
  readonly unknownKeys?: readonly string[];
}

type Json = Record<string, unknown>;

function fail(file: string, message: string): never {
  throw new RidgepointError('checkpoint', `${file}: ${message}`);
}

function positiveInteger(json: Json, key: string, file: string, fallback?: number): number {
  const value = json[key] ?? fallback;
  if (typeof value !== 'number' || !Number.isInteger(value) || value <= 0) {
    fail(file, `"${key}" must be a positive whole number, found ${JSON.stringify(json[key])}`);
  }
  return value;
}

function positiveNumber(json: Json, key: string, file: string, fallback?: number): number {
  const value = json[key] ?? fallback;
  if (typeof value !== 'number' || !(value > 0) || !Number.isFinite(value)) {
    fail(file, `"${key}" must be a positive number, found ${JSON.stringify(json[key])}`);
  }
  return value;
}

function tokenIds(value: unknown, key: string, file: string): number[] {
  if (value === undefined || value === null) return [];
  const list = Array.isArray(value) ? value : [value];
  for (const id of list) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0) {
      fail(file, `"${key}" must hold token ids, found ${JSON.stringify(value)}`);
    }
  }
  return list as number[];
}

/** Older checkpoints write LLaMAForCausalLM. */
function isNameOf(name: unknown, architecture: string): boolean {
  return typeof name === 'string' && name.toLowerCase() === architecture.toLowerCase();
}

/** As models for embeddings have it: the layers alone, without a head. */
const withoutHead = (architecture: string): string => architecture.replace(/ForCausalLM$/, 'Model');

/** What `architectures` says of a model of a family that was saved without a head. */
export const headlessArchitecture = ({ family }: ModelConfig): string => withoutHead(FAMILIES[family].architecture);

/** What `config.json` says that a model is. */
interface Named {
  readonly name: FamilyName;
  readonly family: Family;
  readonly headless: boolean;
}

/** The family that `architectures` names, or where there are none `model_type`. */
function findFamily(config: Json, file: string): Named {
  const architectures = config['architectures'];
  const named = Array.isArray(architectures) ? (architectures as unknown[]) : [];
  const type = config['model_type'] ?? undefined;
  const all = Object.entries(FAMILIES) as [FamilyName, Family][];
  const names = (architecture: string): boolean => named.some((name) => isNameOf(name, architecture));
  const isMeant = ({ architecture, modelType }: Family): boolean =>
    named.length > 0
      ? names(architecture) || names(withoutHead(architecture))
      : (type ?? FAMILIES.llama.modelType) === modelType;
  const found = all.find(([, family]) => isMeant(family));
  if (found === undefined) {
    const texts = named.map((name) => (typeof name === 'string' ? name : JSON.stringify(name)));
    const what = named.length > 0 ? texts.join(', ') : JSON.stringify(type);
    const known = all.map(([, { architecture }]) => architecture).join(', ');
    fail(file, `architecture ${what} is not supported; Ridgepoint runs ${known}`);
  }
  const { architecture, modelType } = found[1];
  if (type !== undefined && type !== modelType) {
    fail(file, `"model_type" is ${JSON.stringify(type)}, which ${architecture} in "architectures" contradicts`);
  }
  return { name: found[0], family: found[1], headless: named.length > 0 && !names(architecture) };
}

/**
 * Reads a Hugging Face `config.json` of a model of a known family.
 *
 * @param json the parsed file
 * @param file its name, for error messages
 * @throws RidgepointError naming the field that is missing, malformed or not supported
 */
export function parseConfig(json: unknown, file = 'config.json'): ModelConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) fail(file, 'must hold a JSON object');
  const given = json as Json;
  if (typeof given['error'] === 'string' && given['hidden_size'] === undefined) {
    fail(file, 'is the answer of a server that refused it, and not the file itself; download it again');
  }
  const { name, family, headless } = findFamily(given, file);
  const config = { ...family.defaults, ...given };
  const activation = config['hidden_act'] ?? 'silu';
  if (activation !== 'silu' && activation !== 'swish') {
    fail(file, `"hidden_act" ${JSON.stringify(activation)} is not supported; expected "silu"`);
  }
  for (const key of ['attention_bias', 'mlp_bias']) {
    if (config[key] === true && !family.keys?.includes(key))
      fail(file, `"${key}" is true, but projections with a bias are not supported`);
  }
  const tied = config['tie_word_embeddings'] ?? false;
  if (typeof tied !== 'boolean') {
    fail(file, `"tie_word_embeddings" must be true or false, found ${JSON.stringify(tied)}`);
  }
  const unknownKeys = checkConfigKeys(given, file, family);

  const hidden = positiveInteger(config, 'hidden_size', file);
  const heads = positiveInteger(config, 'num_attention_heads', file);
  const kvHeads = positiveInteger(config, 'num_key_value_heads', file, heads);
  if (heads % kvHeads !== 0) {
    fail(file, `"num_attention_heads" ${heads} must be a multiple of "num_key_value_heads" ${kvHeads}`);
  }
  if ((config['head_dim'] ?? undefined) === undefined && hidden % heads !== 0) {
    fail(file, `"hidden_size" ${hidden} is not a multiple of "num_attention_heads" ${heads} and "head_dim" is absent`);
  }
  const headDim = positiveInteger(config, 'head_dim', file, hidden / heads);
  if (headDim > 256 || headDim % 2 !== 0) {
    fail(file, `"head_dim" ${headDim} is not supported; it must be even and at most 256`);
  }
  const bos = tokenIds(config['bos_token_id'], 'bos_token_id', file);
  const layers = positiveInteger(config, 'num_hidden_layers', file);
  return {
    family: name,
    layers,
    hidden,
    intermediate: positiveInteger(config, 'intermediate_size', file),
    heads,
    kvHeads,
    headDim,
    vocab: positiveInteger(config, 'vocab_size', file),
    maxPositions: positiveInteger(config, 'max_position_embeddings', file, 2048),
    ...parseRope(config, file),
    rmsNormEps: positiveNumber(config, 'rms_norm_eps', file, 1e-6),
    ...family.read?.(config, layers, file),
    tiedEmbeddings: tied || headless,
    ...(headless && { headless }),
    bosTokenId: bos[0],
    eosTokenIds: tokenIds(config['eos_token_id'], 'eos_token_id', file),
    ...(unknownKeys.length > 0 && { unknownKeys }),
  };
}
