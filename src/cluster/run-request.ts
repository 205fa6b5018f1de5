import type { GenerateOptions, GenerationChunk } from '../engine/api.js';
import type { ResolvedSampling } from '../engine/options/sampling.js';
import type { ConstraintDescription } from '../grammar/description.js';
import { isAddress, type Address } from './address.js';

/** How tokens of a request are chosen and when it ends, but for stop strings: those are for who makes text of it. */
export type RunOptions = ResolvedSampling &
  Pick<GenerateOptions, 'minTokens' | 'ignoreEos' | 'stopIds' | 'logprobs' | 'priority'> & {
    readonly maxTokens: number;
  };

/** Who runs what: one attempt at a request. */
export interface RunKey {
  readonly id: string;
  readonly attempt: number;
}

/** A request as a worker is asked to run it, by ids alone. */
export interface RunRequest extends RunKey {
  readonly prompt: readonly number[];
  /** Ids that were generated before, perhaps elsewhere. */
  readonly resume: readonly number[];
  readonly options: RunOptions;
  readonly constraint?: ConstraintDescription;
  /** Who computes the prompt, where that is to be somebody else. */
  readonly prefill?: Address;
}

type TokenLogprobs = NonNullable<GenerationChunk['logprobs']>[number];

/** A token that a worker has made. */
export interface RunToken {
  readonly id: number;
  readonly logprobs?: TokenLogprobs;
}

/** How a worker came by the keys and values of a prompt. */
export interface RunBegin {
  readonly cachedTokens: number;
  /** Of those, what came from a prefill worker. */
  readonly kv?: { readonly bytes: number; readonly ms: number; readonly missing?: string };
}

/** Tokens on their way to a router; the first ones tell of the prompt. */
export interface RunTokens {
  readonly tokens: readonly RunToken[];
  readonly begin?: RunBegin;
}

/** Why a run ended before its time. */
export interface RunFailure {
  readonly reason: string;
  /** Another worker would say the same: the request is at fault. */
  readonly final?: boolean;
  /** There is no room for it here now. */
  readonly busy?: boolean;
}

export const runKeyOf = ({ id, attempt }: RunKey): string => `${id}/${attempt}`;

/** @throws Error for what is no request; whether its values are good is the engine's to say */
export function runRequestOf(value: unknown): RunRequest {
  const { id, attempt, prompt, resume, options, constraint, prefill } = Object(value) as Partial<RunRequest>;
  const known =
    typeof id === 'string' &&
    Number.isInteger(attempt) &&
    Array.isArray(prompt) &&
    Array.isArray(resume) &&
    typeof options === 'object' &&
    (prefill === undefined || isAddress(prefill));
  if (!known) throw new Error('what is to be run is no request');
  return {
    id,
    attempt: attempt!,
    prompt: prompt as number[],
    resume: resume as number[],
    options,
    constraint,
    prefill,
  };
}
