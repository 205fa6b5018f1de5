import type { EngineOptions } from '../../engine/api.js';
import { ENGINE_OPTIONS } from '../../engine/options/engine-options.js';
import { group } from './group.js';
import { addTableOptions, optionsAmong, type FlagsOf } from './table-flags.js';

const SPECULATION = ['speculate.tokens', 'speculate.lookup'] as const;
const SCHEDULING = [
  ...(['policy', 'maxSequences', 'maxBatchedTokens', 'kvCacheBytes', 'prefixCaching', 'decodeSloMs'] as const),
] as const;

/** Options of guessing ahead. */
export type SpeculationFlags = FlagsOf<(typeof SPECULATION)[number]>;

/** Options of running many sequences together. */
export type SchedulingFlags = FlagsOf<(typeof SCHEDULING)[number]> & SpeculationFlags;

/** Adds the options of guessing ahead. */
export const addSpeculationOptions = group((command) => addTableOptions(command, SPECULATION));

/** Adds the options that say how sequences share the GPU and its memory. */
export const addSchedulingOptions = group((command) =>
  addSpeculationOptions(addTableOptions(command.optionsGroup('Scheduling and memory:'), SCHEDULING)),
);

/** The engine's options among those of guessing ahead. */
export function speculationOptions(flags: SpeculationFlags): Pick<EngineOptions, 'speculate'> {
  const { 'speculate.tokens': tokens, 'speculate.lookup': lookup } = optionsAmong(flags, SPECULATION);
  if (tokens === undefined) return {};
  return { speculate: { tokens, lookup: lookup ?? ENGINE_OPTIONS['speculate.lookup'].default } };
}

/** The engine's options among those of running many sequences together. */
export function schedulingOptions(flags: SchedulingFlags): EngineOptions {
  return { ...optionsAmong(flags, SCHEDULING), ...speculationOptions(flags) };
}
