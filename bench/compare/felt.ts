import type { Measured } from '../measure/end-to-end.js';
import type { BenchRecord } from '../schema.js';
import type { PacedPhase } from './statistic.js';

/** The phase whose steps a record is of. */
export function phaseFelt(record: Measured<BenchRecord>): PacedPhase {
  switch (record.kind) {
    case 'ttft':
      return 'prompts';
    case 'tpot':
      return 'tokens';
    case 'llama-bench':
      return record.n_prompt > 0 ? 'prompts' : 'tokens';
    case 'operations':
      return record.phase === 'prefill' ? 'prompts' : 'tokens';
  }
}

/** What its repetitions took, in whatever unit: of a profile the steps without the profiler. */
export function samplesOf(record: Measured<BenchRecord>): readonly number[] {
  switch (record.kind) {
    case 'ttft':
      return record.ttfts_ms;
    case 'tpot':
      return record.tpots_ms;
    case 'llama-bench':
      return record.samples_ns;
    case 'operations':
      return record.unprofiled_ms;
  }
}
