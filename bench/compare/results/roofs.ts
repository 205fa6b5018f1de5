import type { Calibration } from '../../../src/roofline/hardware/calibration.js';
import { CATALOGUE } from '../../../src/roofline/hardware/catalogue.js';
import { inCatalogue } from '../../../src/roofline/hardware/in-catalogue.js';
import { decodeStep } from '../../../src/roofline/predict/decode-line.js';
import { phaseSummary } from '../../../src/roofline/predict/phase-summary.js';
import type { BatchShape } from '../../../src/model/operations.js';
import { median } from '../../../src/statistics.js';
import type { BenchResult } from '../../schema.js';
import { predictorFor } from '../predictor.js';
import type { NamedResult } from './compare-results.js';

/** The two ceilings of one machine, and where they are known from. FLOP/s and bytes a second. */
export interface Roof {
  readonly flops: number;
  readonly bandwidth: number;
  readonly source: string;
}

/** What a phase reached. FLOPs a byte, and FLOP/s. */
export interface Reached {
  readonly phase: 'prefill' | 'decode';
  readonly intensity: number;
  readonly rate: number;
}

/** A result under its roof, which is undefined where nobody knows it. */
export interface ResultUnderRoof {
  readonly name: string;
  readonly roof: Roof | undefined;
  readonly reached: readonly Reached[];
}

/** The ceilings in f32 that the result brings along, that were measured here, or that a data sheet has. */
function roofOf({ context, ceilings }: BenchResult, known: readonly RoofCalibration[]): Roof | undefined {
  if (ceilings !== undefined) {
    const { f32_flops_per_second: flops, read_bytes_per_second: bandwidth } = ceilings;
    return { flops, bandwidth, source: 'measured with it' };
  }
  const own = known.find(({ adapter, driver }) => adapter === context.adapter && driver === context.driver);
  if (own !== undefined) {
    const { f32FlopsPerSecond: flops, readBytesPerSecond: bandwidth } = own.ceilings;
    return { flops, bandwidth, source: 'measured here' };
  }
  const listed = inCatalogue(context.adapter);
  return listed && { flops: listed.shader.f32, bandwidth: listed.bandwidth, source: `data sheet of ${listed.name}` };
}

export type RoofCalibration = Pick<Calibration, 'adapter' | 'driver' | 'ceilings'>;

/** The longest prompt, and one sequence that decodes after the middle one of the contexts. */
function reachedBy(result: BenchResult): Reached[] {
  // Of work alone, which is the same on every hardware.
  let predictor: ReturnType<typeof predictorFor>;
  try {
    predictor = predictorFor(result, CATALOGUE[0]);
  } catch {
    return []; // in a format that nobody prices
  }
  const reach = (phase: Reached['phase'], steps: readonly BatchShape[], ms: number): Reached => {
    const { flops, intensity } = phaseSummary(predictor, steps, ms / 1000);
    return { phase, intensity, rate: flops / (ms / 1000) };
  };
  const prompts = result.records.filter((record) => record.kind === 'ttft').sort((a, b) => a.n_prompt - b.n_prompt);
  const singles = result.records
    .filter((record) => record.kind === 'tpot')
    .filter(({ batch }) => batch === 1)
    .sort((a, b) => a.n_prompt - b.n_prompt);
  const [prompt, single] = [prompts.at(-1), singles[Math.floor(singles.length / 2)]];
  return [
    ...(prompt === undefined
      ? []
      : [reach('prefill', predictor.prefillSteps(prompt.n_prompt), median(prompt.ttfts_ms))]),
    ...(single === undefined
      ? []
      : [reach('decode', [decodeStep(single.n_prompt + Math.floor(single.n_gen / 2), 1)], median(single.tpots_ms))]),
  ];
}

/** @param known calibrations of this machine */
export const underRoofs = (results: readonly NamedResult[], known: readonly RoofCalibration[]): ResultUnderRoof[] =>
  results.map(({ name, result }) => ({ name, roof: roofOf(result, known), reached: reachedBy(result) }));
