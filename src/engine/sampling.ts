import { RidgepointError } from '../errors.js';
import type { GenerateOptions, SamplingOptions } from './api.js';

/** Sampling options with every neutral value spelled out. */
export interface ResolvedSampling {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly repetitionPenalty: number;
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
  readonly logitBias: Readonly<Record<number, number>>;
  readonly seed: number;
}

interface Range {
  readonly key: keyof SamplingOptions;
  readonly neutral: number;
  readonly low: number;
  readonly high: number;
  readonly lowOpen?: boolean;
  readonly whole?: boolean;
}

const RANGES: readonly Range[] = [
  { key: 'temperature', neutral: 0, low: 0, high: 100 },
  { key: 'topK', neutral: 0, low: 0, high: 0xffffffff, whole: true },
  { key: 'topP', neutral: 1, low: 0, high: 1, lowOpen: true },
  { key: 'minP', neutral: 0, low: 0, high: 1 },
  { key: 'repetitionPenalty', neutral: 1, low: 0, high: 100, lowOpen: true },
  { key: 'presencePenalty', neutral: 0, low: -100, high: 100 },
  { key: 'frequencyPenalty', neutral: 0, low: -100, high: 100 },
];

function inRange(value: number, { low, high, lowOpen, whole }: Range): boolean {
  const inside = (lowOpen ? value > low : value >= low) && value <= high;
  return typeof value === 'number' && inside && (!whole || Number.isInteger(value));
}

function rangeText({ low, high, lowOpen, whole }: Range): string {
  const range = lowOpen ? `above ${low} and up to ${high}` : `from ${low} to ${high}`;
  return `a ${whole ? 'whole ' : ''}number ${range}`;
}

function usage(message: string): never {
  throw new RidgepointError('usage', message);
}

/**
 * Joins a call's options with the model's defaults and checks them.
 *
 * @throws RidgepointError naming the option and its range
 */
export function resolveSampling(
  options: SamplingOptions,
  defaults: SamplingOptions,
  vocab: number,
  randomSeed: () => number,
): ResolvedSampling {
  const numbers: Record<string, number> = {};
  for (const range of RANGES) {
    const { key, neutral } = range;
    const value = (options[key] ?? defaults[key] ?? neutral) as number;
    if (!inRange(value, range)) usage(`${key} must be ${rangeText(range)}, found ${String(value)}`);
    numbers[key] = value;
  }
  // Below this, dividing by the temperature overflows f32; the limit of such a distribution is greedy anyway.
  if (numbers['temperature'] < 1e-4) numbers['temperature'] = 0;
  const logitBias = options.logitBias ?? defaults.logitBias ?? {};
  for (const [id, bias] of Object.entries(logitBias)) {
    const token = Number(id);
    if (!Number.isInteger(token) || token < 0 || token >= vocab) {
      usage(`logitBias names token ${id}, but the vocabulary has ids 0 to ${vocab - 1}`);
    }
    if (typeof bias !== 'number' || Number.isNaN(bias)) usage(`logitBias of token ${id} must be a number`);
  }
  const seed = options.seed ?? defaults.seed ?? randomSeed();
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    usage(`seed must be a whole number from 0 to ${0xffffffff}, found ${seed}`);
  }
  return { ...(numbers as unknown as ResolvedSampling), logitBias, seed };
}

/** Whether sampling must know which tokens a sequence has seen. */
export function needsTokenState(sampling: ResolvedSampling): boolean {
  return (
    sampling.repetitionPenalty !== 1 ||
    sampling.presencePenalty !== 0 ||
    sampling.frequencyPenalty !== 0 ||
    Object.keys(sampling.logitBias).length > 0
  );
}

/**
 * The sampler's table for a sequence that gets a slot: a bit for every prompt token, the times each token has been
 * generated before, and the biases. [vocab] of (u32, f32).
 */
export function initialTokenState(
  promptIds: readonly number[],
  logitBias: Readonly<Record<number, number>>,
  vocab: number,
  generatedIds: readonly number[] = [],
): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(2 * vocab);
  const floats = new Float32Array(words.buffer);
  for (const id of promptIds) words[2 * id] = 0x80000000;
  for (const id of generatedIds) words[2 * id]++;
  for (const [id, bias] of Object.entries(logitBias)) {
    // f32 infinities would make NaN of a masked logit's difference; this is as far as a bias can matter.
    floats[2 * Number(id) + 1] = Math.min(1e30, Math.max(-1e30, bias));
  }
  return words;
}

type Json = Record<string, unknown>;

export const GENERATION_FILE = 'generation_config.json';

/** Sampling defaults and stop ids of a `generation_config.json`, as transformers reads them. */
export function parseGenerationConfig(json: unknown): {
  sampling: SamplingOptions;
  maxNewTokens: number | undefined;
  maxLength: number | undefined;
  eosTokenIds: readonly number[];
  /** What was left out, and why. */
  notices: readonly string[];
} {
  const config = (typeof json === 'object' && json !== null ? json : {}) as Json;
  const notices: string[] = [];
  const number = (key: string): number | undefined =>
    typeof config[key] === 'number' && Number.isFinite(config[key]) ? config[key] : undefined;
  /** A sampling option; one that is out of range is left out and told of. */
  const option = (key: string, name: Range['key']): number | undefined => {
    const value = number(key);
    const range = RANGES.find((each) => each.key === name)!;
    if (value === undefined || inRange(value, range)) return value;
    // As vLLM writes that nothing is cut off.
    if (name === 'topK' && value < 0) return 0;
    notices.push(`${GENERATION_FILE}: ignored, as it is out of range: "${key}" ${value}, must be ${rangeText(range)}`);
    return undefined;
  };
  const length = (key: string): number | undefined => {
    const value = number(key);
    return value !== undefined && Number.isInteger(value) && value >= 1 ? value : undefined;
  };
  // transformers samples only when told to; its temperature and truncation then default to these.
  const sampled = config['do_sample'] === true;
  const eos = config['eos_token_id'];
  return {
    sampling: {
      temperature: sampled ? (option('temperature', 'temperature') ?? 1) : 0,
      topK: sampled ? option('top_k', 'topK') : undefined,
      topP: sampled ? option('top_p', 'topP') : undefined,
      minP: sampled ? option('min_p', 'minP') : undefined,
      repetitionPenalty: option('repetition_penalty', 'repetitionPenalty'),
    },
    maxNewTokens: length('max_new_tokens'),
    maxLength: length('max_length'),
    eosTokenIds: (Array.isArray(eos) ? (eos as unknown[]) : [eos]).filter(
      (id): id is number => typeof id === 'number' && Number.isInteger(id) && id >= 0,
    ),
    notices,
  };
}

/** Checks the options that are not about sampling. @throws RidgepointError naming the option */
export function checkGenerateOptions(options: GenerateOptions, vocab: number): void {
  const { maxTokens, logprobs, stop, stopIds, priority } = options;
  if (maxTokens !== undefined && (!Number.isInteger(maxTokens) || maxTokens < 1)) {
    usage(`maxTokens must be a whole number of at least 1, found ${maxTokens}`);
  }
  if (logprobs !== undefined && (!Number.isInteger(logprobs) || logprobs < 0 || logprobs > vocab)) {
    usage(`logprobs must be a whole number from 0 to ${vocab}, found ${logprobs}`);
  }
  if (priority !== undefined && !Number.isFinite(priority)) usage(`priority must be a number, found ${priority}`);
  if (stop !== undefined && !(Array.isArray(stop) && stop.every((text) => typeof text === 'string'))) {
    usage(`stop must be a list of strings, found ${JSON.stringify(stop)}`);
  }
  if (stop?.includes('')) usage('stop must not hold an empty string');
  const isId = (id: unknown): boolean => Number.isInteger(id) && (id as number) >= 0 && (id as number) < vocab;
  if (stopIds !== undefined && !(Array.isArray(stopIds) && stopIds.every(isId))) {
    usage(`stopIds must be a list of token ids from 0 to ${vocab - 1}, found ${JSON.stringify(stopIds)}`);
  }
}
