import { idsOf } from '../model/end-ids.js';
import { GENERATION_FILE } from '../model/open.js';
import type { SamplingOptions } from './api.js';
import { GENERATE_OPTIONS } from './options/generate-options.js';
import type { SAMPLING_NUMBERS } from './options/sampling.js';

type Json = Record<string, unknown>;

/** Settings of transformers that would change an answer and that nothing here does, each with what leaves them off. */
const NOT_DONE: Readonly<Record<string, unknown>> = {
  ...{ min_length: 0, min_new_tokens: 0, max_time: 0, stop_strings: undefined, num_beams: 1, num_beam_groups: 1 },
  ...{ penalty_alpha: 0, diversity_penalty: 0, encoder_repetition_penalty: 1, no_repeat_ngram_size: 0 },
  ...{ encoder_no_repeat_ngram_size: 0, typical_p: 1, epsilon_cutoff: 0, eta_cutoff: 0, guidance_scale: 1, top_h: 1 },
  ...{ bad_words_ids: undefined, force_words_ids: undefined, constraints: undefined, forced_bos_token_id: undefined },
  ...{ forced_eos_token_id: undefined, exponential_decay_length_penalty: undefined, suppress_tokens: undefined },
  ...{ begin_suppress_tokens: undefined, forced_decoder_ids: undefined, sequence_bias: undefined },
  ...{ watermarking_config: undefined, dola_layers: undefined, token_healing: false },
  // Of other servers; transformers does not follow them either.
  ...{ frequency_penalty: 0, presence_penalty: 0, logit_bias: undefined, stop: undefined, stop_token_ids: undefined },
  ...{ min_tokens: 0, ignore_eos: false, seed: undefined, top_n_sigma: 0, num_return_sequences: 1 },
};

/** Settings of sampling, which transformers looks at only where it samples. */
const SAMPLED = ['typical_p', 'epsilon_cutoff', 'eta_cutoff', 'top_h'];

function isOff(value: unknown, off: unknown): boolean {
  if (value === undefined || value === null || value === false || value === off) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

export interface GenerationConfig {
  readonly sampling: SamplingOptions;
  readonly maxNewTokens: number | undefined;
  readonly maxLength: number | undefined;
  /** What was left out, and why. */
  readonly notices: readonly string[];
}

/**
 * Sampling defaults and stop ids of a `generation_config.json`, as transformers reads them.
 *
 * @param file what it was read from, for notices
 */
export function parseGenerationConfig(json: unknown, file = GENERATION_FILE): GenerationConfig {
  const isObject = typeof json === 'object' && json !== null && !Array.isArray(json);
  const config = (isObject ? json : {}) as Json;
  const notices: string[] = [];
  if (!isObject && json !== undefined && json !== null) {
    notices.push(`${file}: ignored, as it holds no JSON object`);
  }
  const ignored = (key: string, why: string): void => {
    const value = (JSON.stringify(config[key]) ?? '').slice(0, 80);
    notices.push(`${file}: ignored, ${why.replace('#', `"${key}" ${value}`)}`);
  };
  const number = (key: string): number | undefined => {
    const value = config[key];
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'number') return value;
    ignored(key, 'as it is no number: #');
    return undefined;
  };
  /** A sampling option; one that is out of range is left out and told of. */
  const option = (key: string, name: (typeof SAMPLING_NUMBERS)[number]): number | undefined => {
    const value = number(key);
    const { kind } = GENERATE_OPTIONS[name];
    if (value === undefined || kind.accepts(value)) return value;
    // As vLLM writes that nothing is cut off.
    if (name === 'topK' && value < 0) return 0;
    ignored(key, `as it is out of range: #, must be ${kind.wanted}`);
    return undefined;
  };
  const length = (key: string): number | undefined => {
    const value = number(key);
    if (value === undefined || (Number.isInteger(value) && value >= 1)) return value;
    ignored(key, 'as it is out of range: #, must be a whole number of at least 1');
    return undefined;
  };
  // transformers samples only when told to; its temperature and truncation then default to these.
  const sampled = config['do_sample'] === true;
  if (!sampled && !isOff(config['do_sample'], undefined)) ignored('do_sample', 'as it is neither true nor false: #');
  const sampling = {
    temperature: sampled ? (option('temperature', 'temperature') ?? 1) : 0,
    topK: sampled ? option('top_k', 'topK') : undefined,
    topP: sampled ? option('top_p', 'topP') : undefined,
    minP: sampled ? option('min_p', 'minP') : undefined,
    repetitionPenalty: option('repetition_penalty', 'repetitionPenalty'),
  };
  for (const [key, off] of Object.entries(NOT_DONE)) {
    if (isOff(config[key], off) || (!sampled && SAMPLED.includes(key))) continue;
    ignored(key, 'as it is not supported: #');
  }
  // What ends a generation is read where the other files that name it are (`model/end-ids.ts`).
  const eos: unknown = config['eos_token_id'] ?? [];
  const given = Array.isArray(eos) ? eos.length : 1;
  if (idsOf(config, 'eos_token_id').length < given) ignored('eos_token_id', 'where it is no id of a token: #');
  return {
    sampling,
    maxNewTokens: length('max_new_tokens'),
    maxLength: length('max_length'),
    notices,
  };
}
