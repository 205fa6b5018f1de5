import { RidgepointError } from '../../../src/errors.js';
import { seedOf } from '../../../src/seed.js';
import { median } from '../../../src/statistics.js';
import type { BenchRecord, BenchResult } from '../../schema.js';
import { testOf } from '../../tables/llama-bench.js';
import type { Measure } from '../points.js';
import { conditionsOf, type Condition } from './conditions.js';
import { ratioOf, type Ratio, type SamplePair } from './ratio.js';

/** A result and what it is called, by its file or its machine. */
export interface NamedResult {
  readonly name: string;
  readonly result: BenchResult;
}

/** What one result says of a point. */
export interface ComparedCell {
  /** Median, in milliseconds: of a TTFT, a TPOT, or all steps of a row of llama-bench. */
  readonly ms: number;
  readonly runs: number;
  /** To the first result; absent in the first, and where the first lacks the point. */
  readonly ratio?: Ratio;
}

/** A point beside itself in all results; undefined where one lacks it. */
export interface ComparedPoint {
  readonly id: string;
  readonly measure: Measure;
  readonly cells: readonly (ComparedCell | undefined)[];
}

/** A measure over all points that a result shares with the first. */
export interface ComparedMeasure {
  readonly measure: Measure;
  /** One a result: points in common, and the geometric mean of their ratios; undefined where there are none. */
  readonly cells: readonly ({ readonly points: number; readonly ratio: Ratio } | undefined)[];
}

/** Results beside each other. All ratios are to the first. */
export interface ResultsComparison {
  readonly results: readonly NamedResult[];
  readonly conditions: readonly Condition[];
  readonly measures: readonly ComparedMeasure[];
  readonly points: readonly ComparedPoint[];
}

const MEASURES: readonly Measure[] = ['ttft', 'tpot', 'pp', 'tg'];

interface Sampled {
  readonly id: string;
  readonly measure: Measure;
  /** Milliseconds. */
  readonly samples: readonly number[];
}

/** The times of a record; undefined of a profile, whose sum is another thing on every clock. */
function sampled(record: BenchRecord): Sampled | undefined {
  switch (record.kind) {
    case 'ttft':
      return { id: record.id, measure: 'ttft', samples: record.ttfts_ms };
    case 'tpot':
      return { id: record.id, measure: 'tpot', samples: record.tpots_ms };
    case 'llama-bench':
      return {
        id: testOf(record),
        measure: record.n_prompt > 0 ? 'pp' : 'tg',
        samples: record.samples_ns.map((ns) => ns / 1e6),
      };
    case 'operations':
      return undefined;
  }
}

const pointsOf = ({ result }: NamedResult): Map<string, Sampled> =>
  new Map(
    result.records
      .map(sampled)
      .filter((each) => each !== undefined && each.samples.length > 0)
      .map((each) => [each!.id, each!]),
  );

/**
 * Why a result cannot stand beside another; undefined where it can.
 *
 * @returns a sentence without the name of the file
 */
export function whyApart(own: NamedResult, first: NamedResult): string | undefined {
  const ids = pointsOf(own);
  if (ids.size === 0) return 'holds no times; let the benchmark run longer before it is stopped';
  if ([...pointsOf(first).keys()].some((id) => ids.has(id))) return undefined;
  return `has no point in common with ${first.name}; measure both with the same prompts, contexts and batches`;
}

/** @throws RidgepointError where one has nothing in common with the first, which is told by its name */
export function compareResults(results: readonly NamedResult[]): ResultsComparison {
  for (const each of results.slice(1)) {
    const why = whyApart(each, results[0]);
    if (why !== undefined) throw new RidgepointError('usage', `${each.name}: ${why}`);
  }
  const all = results.map(pointsOf);
  const [first] = all;
  const ids = [...new Set(all.flatMap((points) => [...points.keys()]))];
  const pairOf = (id: string, at: number): SamplePair | undefined => {
    const [own, reference] = [all[at].get(id), first.get(id)];
    return at === 0 || own === undefined || reference === undefined ? undefined : [own.samples, reference.samples];
  };
  const points = ids.map((id): ComparedPoint => {
    const { measure } = all.find((each) => each.has(id))!.get(id)!;
    const cells = all.map((each, at): ComparedCell | undefined => {
      const own = each.get(id);
      if (own === undefined) return undefined;
      const pair = pairOf(id, at);
      const ratio = pair && ratioOf([pair], seedOf(`${id} ${at}`));
      return { ms: median(own.samples), runs: own.samples.length, ...(ratio && { ratio }) };
    });
    return { id, measure, cells };
  });
  const measures = MEASURES.map((measure): ComparedMeasure => {
    const own = points.filter((point) => point.measure === measure);
    const cells = all.map((_, at) => {
      const pairs = own.map(({ id }) => pairOf(id, at)).filter((pair) => pair !== undefined);
      const ratio = ratioOf(pairs, seedOf(`${measure} ${at}`));
      return ratio && { points: pairs.length, ratio };
    });
    return { measure, cells };
  }).filter(({ cells }) => cells.some((cell) => cell !== undefined));
  const order = ({ measure }: ComparedPoint): number => MEASURES.indexOf(measure);
  return {
    results,
    conditions: conditionsOf(results.map(({ result }) => result)),
    measures,
    points: points.sort((a, b) => order(a) - order(b)),
  };
}
