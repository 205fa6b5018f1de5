import { median } from '../../src/statistics.js';
import { DEFAULT_STATISTIC, represent, type Statistic } from '../compare/statistic.js';
import { bytesPerMs, exposedMs } from './formula.js';
import type { CellRecord, DisaggregateResult } from './schema.js';

/** A request's time in milliseconds, by what it went into. */
export interface Breakdown {
  readonly prefillMs: number;
  readonly exposedMs: number;
  readonly tailMs: number;
  readonly decodeMs: number;
  readonly e2elMs: number;
}

/** A cell, measured beside predicted. */
export interface JudgedCell {
  readonly cell: CellRecord;
  readonly measured: Breakdown;
  /** From the halves measured alone in the same run and from the formula of what is exposed. */
  readonly predicted: Breakdown;
  /** When keys and values were there, and by the formula with what the prompt took each time; medians. */
  readonly kvMs: number;
  readonly kvFormulaMs: number;
  /** How many times as fast as the decoding adapter alone, and as the other one alone. */
  readonly gain: { readonly overDecode: number; readonly overPrefill: number };
  readonly predictedGain: { readonly overDecode: number; readonly overPrefill: number };
}

/** All cells of which there are samples. @param statistic what stands for samples */
export function judge(result: DisaggregateResult, statistic: Statistic = DEFAULT_STATISTIC): JudgedCell[] {
  const of = (samples: readonly number[]): number => represent(samples, statistic);
  const found = <T>(rows: readonly T[], is: (row: T) => boolean): T => rows.find(is)!;
  return result.cells
    .filter(({ e2els_ms }) => e2els_ms.length > 0)
    .map((cell): JudgedCell => {
      const { prefill, decode, n_prompt, n_gen } = cell;
      const aloneOf = (adapter: string) =>
        found(result.alone, (row) => row.adapter === adapter && row.n_prompt === n_prompt && row.n_gen === n_gen);
      const [onDecode, onPrefill] = [decode, prefill].map((adapter) => of(aloneOf(adapter).e2els_ms));
      const half = found(result.prefills, (row) => row.adapter === prefill && row.n_prompt === n_prompt);
      const tail = found(result.tails, (row) => row.adapter === decode && row.n_prompt === n_prompt);
      const { e2els_ms, ttfts_ms } = aloneOf(decode);
      const predicted = sum({
        prefillMs: of(half.prefills_ms),
        exposedMs: exposedOf(cell, of(half.prefills_ms), of(half.first_chunks_ms)),
        tailMs: of(tail.tails_ms),
        decodeMs: of(e2els_ms.map((ms, at) => ms - ttfts_ms[at])),
      });
      const measured: Breakdown = {
        prefillMs: of(cell.prefills_ms),
        exposedMs: of(cell.exposeds_ms),
        tailMs: of(cell.tails_ms),
        decodeMs: of(cell.decodes_ms),
        e2elMs: of(cell.e2els_ms),
      };
      const formula = cell.prefills_ms.map((ms, at) => ms + exposedOf(cell, ms, cell.first_chunks_ms[at]));
      const gainOf = (ms: number) => ({ overDecode: onDecode / ms, overPrefill: onPrefill / ms });
      return {
        ...{ cell, measured, predicted, kvMs: median(cell.kvs_ms), kvFormulaMs: median(formula) },
        ...{ gain: gainOf(measured.e2elMs), predictedGain: gainOf(predicted.e2elMs) },
      };
    });
}

const sum = (parts: Omit<Breakdown, 'e2elMs'>): Breakdown => ({
  ...parts,
  e2elMs: parts.prefillMs + parts.exposedMs + parts.tailMs + parts.decodeMs,
});

function exposedOf(cell: CellRecord, prefillMs: number, firstChunkMs: number): number {
  const { kv_bytes: bytes, kv_last_bytes: lastBytes, mbit, delay_ms: delayMs } = cell;
  const shape = { bytesPerMs: mbit === null ? undefined : bytesPerMs(mbit), delayMs };
  return exposedMs({ prefillMs, firstChunkMs, bytes, lastBytes }, shape);
}

/** A statement about a run: in how many of the cells it is about it holds. */
export interface Verdict {
  readonly what: string;
  readonly held: number;
  readonly of: number;
}

/** Networks on which a link's rate is what counts: megabits a second. */
const SLOW_MBIT = 100;
const KV_SHARE = 0.1;
const KV_MS = 5;
const E2E_SHARE = 0.15;
/** Gains of less say nothing about a sign. */
const SURE = 0.1;

const count = <T>(what: string, all: readonly T[], holds: (one: T) => boolean): Verdict => ({
  ...{ what, held: all.filter(holds).length, of: all.length },
});

export function verdicts(cells: readonly JudgedCell[]): Verdict[] {
  const slow = cells.filter(({ cell }) => cell.mbit !== null && cell.mbit <= SLOW_MBIT);
  const sides = cells.flatMap(({ gain, predictedGain }) => [
    { gain: gain.overDecode, predicted: predictedGain.overDecode },
    { gain: gain.overPrefill, predicted: predictedGain.overPrefill },
  ]);
  return [
    count(
      `keys and values there within ${100 * KV_SHARE} % + ${KV_MS} ms of the formula, at ${SLOW_MBIT} Mbit/s and less`,
      slow,
      ({ kvMs, kvFormulaMs }) => Math.abs(kvMs - kvFormulaMs) <= KV_SHARE * kvFormulaMs + KV_MS,
    ),
    count(
      `E2E predicted within ${100 * E2E_SHARE} %`,
      cells,
      ({ measured, predicted }) => Math.abs(predicted.e2elMs / measured.e2elMs - 1) <= E2E_SHARE,
    ),
    count(
      `gain or loss predicted where it exceeds ${100 * SURE} %`,
      sides.filter(({ gain }) => Math.abs(gain - 1) > SURE),
      ({ gain, predicted }) => gain > 1 === predicted > 1,
    ),
  ];
}
