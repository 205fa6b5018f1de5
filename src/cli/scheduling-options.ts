import type { Command } from 'commander';
import type { EngineOptions, PolicyName } from '../engine/api.js';
import { POLICY_NAMES } from '../engine/policies/index.js';
import { byteCount, number, oneOf, whole } from './parse.js';

/** Options of guessing ahead, under the names commander gives them. */
export interface SpeculationFlags {
  readonly speculate?: number;
  readonly speculateLookup?: number;
}

/** Options of running many sequences together. */
export interface SchedulingFlags extends SpeculationFlags {
  readonly policy?: PolicyName;
  readonly maxNumSeqs?: number;
  readonly maxNumBatchedTokens?: number;
  readonly kvCacheMemory?: number;
  readonly prefixCaching?: boolean;
  readonly decodeSlo?: number;
}

/** Tokens that must agree with an earlier place before what followed there is guessed. */
const DEFAULT_LOOKUP = 3;

/** Adds the options of guessing ahead. */
export function addSpeculationOptions(command: Command): Command {
  return command
    .option(
      '--speculate <n>',
      'guess up to n tokens ahead where the text repeats itself; the text stays the same',
      whole('--speculate', 1),
    )
    .option(
      '--speculate-lookup <n>',
      `tokens that must repeat before a guess, default ${DEFAULT_LOOKUP}`,
      whole('--speculate-lookup', 1),
    );
}

/** Adds the options that say how sequences share the GPU and its memory. */
export function addSchedulingOptions(command: Command): Command {
  command
    .optionsGroup('Scheduling and memory:')
    .option(
      '--policy <name>',
      `how prompts and decoding share the GPU: ${POLICY_NAMES.join(', ')}`,
      oneOf('--policy', POLICY_NAMES),
    )
    .option('--max-num-seqs <n>', 'sequences that may run together, default 8', whole('--max-num-seqs', 1))
    .option('--max-num-batched-tokens <n>', 'most tokens in one forward pass', whole('--max-num-batched-tokens', 1))
    .option(
      '--kv-cache-memory <size>',
      'memory for keys and values, such as 512MiB or 8GiB; default: what the sequences need, where there is room',
      byteCount('--kv-cache-memory'),
    )
    .option('--no-prefix-caching', 'compute every prompt anew, also where it begins like an earlier one')
    .option('--decode-slo <ms>', 'with decode-priority: longest a step should take', number('--decode-slo'));
  return addSpeculationOptions(command);
}

/** The engine's options among those of guessing ahead. */
export function speculationOptions({ speculate, speculateLookup }: SpeculationFlags): Pick<EngineOptions, 'speculate'> {
  if (speculate === undefined) return {};
  return { speculate: { tokens: speculate, lookup: speculateLookup ?? DEFAULT_LOOKUP } };
}

/** The engine's options among those of running many sequences together. */
export function schedulingOptions(flags: SchedulingFlags): EngineOptions {
  return {
    policy: flags.policy,
    maxSequences: flags.maxNumSeqs,
    maxBatchedTokens: flags.maxNumBatchedTokens,
    kvCacheBytes: flags.kvCacheMemory,
    prefixCaching: flags.prefixCaching,
    decodeSloMs: flags.decodeSlo,
    ...speculationOptions(flags),
  };
}
