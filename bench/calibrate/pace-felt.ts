import type { Measured } from '../measure/end-to-end.js';
import type { Felt } from '../compare/statistic.js';
import { phaseFelt, samplesOf } from '../compare/felt.js';
import type { BenchRecord } from '../schema.js';

/**
 * What is taken for granted: that a step takes twice as long where the fixed kernel does. It weighs as much as five
 * repetitions whose pace is a tenth off that of the others, so that a quiet machine, which teaches nothing, keeps it.
 */
const PRIOR = { exponent: 1, weight: 0.05 } as const;
const MOST = 1.5;

/**
 * How strongly each phase feels what slows the fixed kernel, from repetitions of the same at different paces: the exponent
 * by which their logarithms are told best (least squares about the mean of each point).
 */
export function paceFelt(records: readonly Measured<BenchRecord>[]): Felt {
  const sums = { prompts: { xx: 0, xy: 0 }, tokens: { xx: 0, xy: 0 } };
  for (const record of records) {
    const samples = samplesOf(record);
    const { pace_ms: paces } = record;
    if (paces?.length !== samples.length || samples.length < 2) continue;
    const [x, y] = [paces, samples].map(aboutTheMean);
    const sum = sums[phaseFelt(record)];
    x.forEach((each, at) => {
      sum.xx += each * each;
      sum.xy += each * y[at];
    });
  }
  const exponent = ({ xx, xy }: { xx: number; xy: number }): number =>
    Math.min(MOST, Math.max(0, (xy + PRIOR.weight * PRIOR.exponent) / (xx + PRIOR.weight)));
  return { prompts: exponent(sums.prompts), tokens: exponent(sums.tokens) };
}

function aboutTheMean(values: readonly number[]): number[] {
  const logs = values.map(Math.log);
  const mean = logs.reduce((sum, each) => sum + each, 0) / logs.length;
  return logs.map((each) => each - mean);
}
