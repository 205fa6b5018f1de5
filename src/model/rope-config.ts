import { RidgepointError } from '../errors.js';

/** Position scaling of rotary embeddings, as in Hugging Face's `rope_scaling`. */
export type RopeScaling =
  | { readonly type: 'none' }
  | { readonly type: 'linear'; readonly factor: number }
  | {
      readonly type: 'llama3';
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalMaxPositions: number;
    };

/** Rotary embeddings of a model. */
export interface RopeConfig {
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling;
}

type Json = Readonly<Record<string, unknown>>;

const DEFAULT_THETA = 10000;

/** Keys of each type of scaling, beside its name and `rope_theta`. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  default: ['factor', 'original_max_position_embeddings'],
  linear: ['factor', 'original_max_position_embeddings'],
  llama3: ['factor', 'low_freq_factor', 'high_freq_factor', 'original_max_position_embeddings'],
};
/** Keys that change nothing where they have this value. */
const NEUTRAL: Json = { partial_rotary_factor: 1, attention_factor: 1, finetuned: true };

function fail(file: string, message: string): never {
  throw new RidgepointError('checkpoint', `${file}: ${message}`);
}

function positive(json: Json, key: string, at: string, fallback?: unknown): number {
  const value = json[key] ?? fallback;
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value;
  return fail(at, `"${key}" must be a positive number, found ${JSON.stringify(json[key])}`);
}

/** `rope_scaling`, or `rope_parameters` as transformers 5 calls it. @throws RidgepointError where the two differ */
function scalingOf(config: Json, file: string): { readonly name: string; readonly json: Json } {
  const found = (['rope_scaling', 'rope_parameters'] as const).flatMap((name) => {
    const value = config[name];
    if (value === undefined || value === null) return [];
    if (typeof value === 'object' && !Array.isArray(value)) return [{ name, json: value as Json }];
    return fail(file, `"${name}" must be an object, found ${JSON.stringify(value)}`);
  });
  const [one, other] = found;
  if (other !== undefined) {
    for (const key of new Set([...Object.keys(one.json), ...Object.keys(other.json)])) {
      const values = [one.json[key], other.json[key]];
      if (values.includes(undefined) || JSON.stringify(values[0]) === JSON.stringify(values[1])) continue;
      fail(file, `"rope_scaling" and "rope_parameters" differ in "${key}"; remove the one that does not hold`);
    }
    return { name: one.name, json: { ...other.json, ...one.json } };
  }
  return one ?? { name: 'rope_scaling', json: {} };
}

/**
 * Reads rotary embeddings of a `config.json`: the base from the top level or from the object of the scaling, as
 * transformers 5 does, and the scaling.
 *
 * @throws RidgepointError naming what is malformed, contradicts itself or is not supported
 */
export function parseRope(config: Json, file: string): RopeConfig {
  const { name, json } = scalingOf(config, file);
  const at = `${file}: "${name}"`;
  const nested = Object.entries(json).find(([, value]) => typeof value === 'object' && value !== null);
  if (nested !== undefined) {
    fail(file, `"${name}" has "${nested[0]}" of its own; layers that rotate differently are not supported`);
  }
  const [inside, outside] = [json['rope_theta'] ?? undefined, config['rope_theta'] ?? undefined];
  if (inside !== undefined && outside !== undefined && inside !== outside) {
    fail(file, `"rope_theta" is ${JSON.stringify(outside)}, but ${JSON.stringify(inside)} in "${name}"; remove one`);
  }
  const ropeTheta = positive({ rope_theta: inside ?? outside }, 'rope_theta', file, DEFAULT_THETA);

  const [newer, older] = [json['rope_type'] ?? undefined, json['type'] ?? undefined];
  if (newer !== undefined && older !== undefined && newer !== older) {
    fail(file, `"${name}" is of type ${JSON.stringify(newer)} and ${JSON.stringify(older)} at once; remove one`);
  }
  const type = newer ?? older ?? 'default';
  if (typeof type !== 'string' || !Object.hasOwn(KEYS, type)) {
    fail(file, `"${name}" of type ${JSON.stringify(type)} is not supported; known types are "linear" and "llama3"`);
  }
  for (const [key, value] of Object.entries(json)) {
    if (['rope_type', 'type', 'rope_theta', ...KEYS[type]].includes(key) || value === null) continue;
    if (value === NEUTRAL[key] || value === false) continue;
    fail(at, `"${key}" ${JSON.stringify(value)} is not supported with rotary embeddings of type "${type}"`);
  }
  if (newer === undefined && older === undefined && json['factor'] !== undefined && json['factor'] !== 1) {
    fail(file, `"${name}" has a "factor" and no "rope_type"; add the type, such as "linear"`);
  }
  return { ropeTheta, ropeScaling: scaling(type, json, config, at) };
}

function scaling(type: string, json: Json, config: Json, at: string): RopeScaling {
  if (type === 'linear') return { type, factor: positive(json, 'factor', at) };
  if (type !== 'llama3') return { type: 'none' };
  const longest = config['original_max_position_embeddings'] ?? config['max_position_embeddings'];
  const originalMaxPositions = positive(json, 'original_max_position_embeddings', at, longest);
  if (!Number.isInteger(originalMaxPositions)) {
    fail(at, `"original_max_position_embeddings" must be a positive whole number, found ${originalMaxPositions}`);
  }
  const low = positive(json, 'low_freq_factor', at, 1);
  const high = positive(json, 'high_freq_factor', at, 4);
  if (low >= high) fail(at, `"low_freq_factor" ${low} must be less than "high_freq_factor" ${high}`);
  return { type, factor: positive(json, 'factor', at), lowFreqFactor: low, highFreqFactor: high, originalMaxPositions };
}
