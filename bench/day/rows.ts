import { decodeStep } from '../../src/roofline/predict/decode-line.js';
import type { Hardware } from '../../src/roofline/hardware/hardware.js';
import { precisionOf, type PricedKvDtype, type PricedWeightDtype } from '../../src/roofline/hardware/precision.js';
import { compareResult } from '../compare/compare.js';
import { represent } from '../compare/statistic.js';
import { configOf } from '../compare/predictor.js';
import type { KernelRecord, KernelsResult } from '../kernels/schema.js';
import type { BenchResult } from '../schema.js';
import { floorMs, type Ceilings } from './floor.js';
import { bestOf, type Peer } from './peer.js';

/** A first or next token: ours untuned and tuned, the floor, the prediction and the peers, in milliseconds. */
export interface TokenRow {
  readonly name: string;
  readonly untuned: number | undefined;
  readonly ours: number | undefined;
  readonly floor: number | undefined;
  readonly predicted: number | undefined;
  /** By the peer's name, the faster of steps and graphs. */
  readonly peers: ReadonlyMap<string, number>;
}

type Record = BenchResult['records'][number];
const timeOf = (record: Record): number | undefined =>
  record.kind === 'ttft'
    ? represent(record.ttfts_ms, 'median')
    : record.kind === 'tpot'
      ? represent(record.tpots_ms, 'median')
      : undefined;

/** Rows in the order of the result: prompts, then contexts and batches. */
export function tokenRows(
  result: BenchResult,
  untuned: BenchResult | undefined,
  { ceilings, listed, peer }: { ceilings?: Ceilings; listed?: Hardware; peer?: Peer },
): TokenRow[] {
  const predicted = new Map(
    listed === undefined
      ? []
      : compareResult(result, listed, 'median').points.map(({ id, predictedMs }) => [id, predictedMs]),
  );
  const { dtype, head_dtype: head, kv_dtype: kv } = result.context;
  const precision = precisionOf(
    {
      weights: dtype as PricedWeightDtype,
      head: head as PricedWeightDtype | undefined,
      kv: kv as PricedKvDtype,
      compute: 'f32',
    },
    'shader',
  );
  const config = configOf(result);
  return result.records.flatMap((record): TokenRow[] => {
    if (record.kind !== 'ttft' && record.kind !== 'tpot') return [];
    const other = untuned?.records.find(({ kind, id }) => kind === record.kind && id === record.id);
    const { n_prompt: prompt, n_gen: gen } = record;
    const [name, step, point] =
      record.kind === 'ttft'
        ? ([
            `TTFT, prompt of ${prompt}`,
            { sequences: [{ newTokens: prompt, context: 0, prefill: true }], logitRows: 1 },
            { kind: 'ttft', prompt },
          ] as const)
        : ([
            `TPOT, ${record.batch} after ${prompt}`,
            decodeStep(prompt + Math.floor(gen / 2), record.batch),
            { kind: 'tpot', context: prompt, batch: record.batch },
          ] as const);
    return [
      {
        name,
        ours: timeOf(record),
        untuned: other && timeOf(other),
        floor: ceilings && floorMs(config, step, precision, ceilings),
        predicted: predicted.get(record.id),
        peers: new Map(peer === undefined ? [] : bestOf(peer, point).map(({ engine, ms }) => [engine, ms])),
      },
    ];
  });
}

/** A product of one shape: ours as the engine runs it and without bounds checks, the floor, and torch's. Milliseconds. */
export interface ProductRow {
  readonly operation: string;
  readonly shape: string;
  readonly rows: number;
  readonly usual: KernelRecord | undefined;
  readonly best: KernelRecord;
  readonly unchecked: KernelRecord | undefined;
  readonly floor: number | undefined;
  readonly torch: number | undefined;
}

const fastest = (records: readonly KernelRecord[]): KernelRecord | undefined =>
  records.reduce<KernelRecord | undefined>((a, b) => (a === undefined || b.median_ms < a.median_ms ? b : a), undefined);

export function productRows(
  kernels: KernelsResult,
  unchecked: KernelsResult | undefined,
  { ceilings, peer }: { ceilings?: Ceilings; peer?: Peer },
): ProductRow[] {
  const shapes = new Map<string, KernelRecord[]>();
  const keyOf = ({ operation, shape, rows }: KernelRecord): string => `${operation} ${shape} ${rows}`;
  for (const record of kernels.records) {
    if (record.kind !== 'matmul' || record.slice !== null) continue;
    shapes.set(keyOf(record), [...(shapes.get(keyOf(record)) ?? []), record]);
  }
  return [...shapes.values()].map((records): ProductRow => {
    const best = fastest(records)!;
    const { operation, shape, rows, bytes, flops } = best;
    const torch = [...(peer?.gemv ?? []), ...(peer?.mm ?? [])].filter(
      (each) => each.operation === operation && each.rows === rows && `${each.n}x${each.k}` === shape,
    );
    return {
      ...{ operation, shape, rows, best },
      usual: records.find((each) => each.default),
      unchecked: fastest(
        unchecked?.records.filter((each) => each.kind === 'matmul' && keyOf(each) === keyOf(best)) ?? [],
      ),
      floor: ceilings && 1000 * Math.max(bytes / ceilings.bytesPerSecond, flops / ceilings.flopsPerSecond),
      torch: torch.length === 0 ? undefined : Math.min(...torch.map(({ ms }) => ms)),
    };
  });
}
