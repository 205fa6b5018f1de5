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
  /** The same E2E where the host is as fast as it was while the cell was measured; undefined where that is not known. */
  readonly atPaceMs: number | undefined;
  /** When keys and values were there, and by the formula with what the prompt took each time; medians. */
  readonly kvMs: number;
  readonly kvFormulaMs: number;
  readonly gain: Gain;
  readonly predictedGain: Gain;
  readonly gainAtPace: Gain | undefined;
}

/** How many times as fast as the decoding adapter alone, and as the other one alone. */
export interface Gain {
  readonly overDecode: number;
  readonly overPrefill: number;
}

/** What a request would go into by one sample of each half, and the host's pace at each. */
interface Halves {
  readonly prefillMs: number;
  readonly firstChunkMs: number;
  readonly tailMs: number;
  readonly decodeMs: number;
  readonly paces: { readonly prefill: number; readonly tail: number; readonly decode: number } | undefined;
}

/** All cells of which there are samples, and of their halves. @param statistic what stands for samples */
export function judge(result: DisaggregateResult, statistic: Statistic = DEFAULT_STATISTIC): JudgedCell[] {
  const of = (samples: readonly number[]): number => represent(samples, statistic);
  return result.cells.flatMap((cell): JudgedCell[] => {
    const halves = halvesOf(result, cell);
    if (cell.e2els_ms.length === 0 || halves.length === 0) return [];
    const [onDecode, onPrefill] = [cell.decode, cell.prefill].map((name) => of(aloneOf(result, name, cell).e2els_ms));
    const part = (ms: (half: Halves) => number): number => of(halves.map(ms));
    const predicted: Breakdown = {
      prefillMs: part(({ prefillMs }) => prefillMs),
      exposedMs: part(({ prefillMs, firstChunkMs }) => exposedOf(cell, prefillMs, firstChunkMs)),
      tailMs: part(({ tailMs }) => tailMs),
      decodeMs: part(({ decodeMs }) => decodeMs),
      // Of sums: four parts are seldom all fast at once, which the sum of their fastest would claim.
      e2elMs: part((half) => e2elOf(cell, half)),
    };
    const measured: Breakdown = {
      prefillMs: of(cell.prefills_ms),
      exposedMs: of(cell.exposeds_ms),
      tailMs: of(cell.tails_ms),
      decodeMs: of(cell.decodes_ms),
      e2elMs: of(cell.e2els_ms),
    };
    const formula = cell.prefills_ms.map((ms, at) => ms + exposedOf(cell, ms, cell.first_chunks_ms[at]));
    const gainOf = (ms: number): Gain => ({ overDecode: onDecode / ms, overPrefill: onPrefill / ms });
    const atPaceMs = atPace(cell, halves, measured.e2elMs);
    return [
      {
        ...{ cell, measured, predicted, atPaceMs, kvMs: median(cell.kvs_ms), kvFormulaMs: median(formula) },
        ...{ gain: gainOf(measured.e2elMs), predictedGain: gainOf(predicted.e2elMs) },
        gainAtPace: atPaceMs === undefined ? undefined : gainOf(atPaceMs),
      },
    ];
  });
}

const found = <T>(rows: readonly T[], is: (row: T) => boolean): T => rows.find(is)!;

function aloneOf({ alone }: DisaggregateResult, name: string, { n_prompt, n_gen }: CellRecord) {
  return found(alone, (row) => row.adapter === name && row.n_prompt === n_prompt && row.n_gen === n_gen);
}

function halvesOf(result: DisaggregateResult, cell: CellRecord): Halves[] {
  const { prefill, decode, n_prompt } = cell;
  const prompt = found(result.prefills, (row) => row.adapter === prefill && row.n_prompt === n_prompt);
  const tail = found(result.tails, (row) => row.adapter === decode && row.n_prompt === n_prompt);
  const answer = aloneOf(result, decode, cell);
  const length = Math.min(prompt.prefills_ms.length, tail.tails_ms.length, answer.e2els_ms.length);
  return Array.from({ length }, (_, at): Halves => {
    const [p, t, d] = [prompt, tail, answer].map(({ paces_ms }) => paces_ms?.[at]);
    return {
      prefillMs: prompt.prefills_ms[at],
      firstChunkMs: prompt.first_chunks_ms[at],
      tailMs: tail.tails_ms[at],
      decodeMs: answer.e2els_ms[at] - answer.ttfts_ms[at],
      paces: p === undefined || t === undefined || d === undefined ? undefined : { prefill: p, tail: t, decode: d },
    };
  });
}

const e2elOf = (cell: CellRecord, { prefillMs, firstChunkMs, tailMs, decodeMs }: Omit<Halves, 'paces'>): number =>
  prefillMs + exposedOf(cell, prefillMs, firstChunkMs) + tailMs + decodeMs;

/**
 * E2E of a cell by halves that take as many times as long as the fixed kernel took while the cell was measured. What a
 * link takes does not depend on the host.
 *
 * @returns milliseconds that are as far from `measuredMs` as the samples are from their predictions in the median
 */
function atPace(cell: CellRecord, halves: readonly Halves[], measuredMs: number): number | undefined {
  const ratios = cell.e2els_ms.map((ms, at) => {
    const pace = cell.paces_ms?.[at];
    const sums = halves.map(({ paces, ...half }) => {
      if (pace === undefined || paces === undefined) return NaN;
      return e2elOf(cell, {
        prefillMs: (half.prefillMs * pace) / paces.prefill,
        firstChunkMs: (half.firstChunkMs * pace) / paces.prefill,
        tailMs: (half.tailMs * pace) / paces.tail,
        decodeMs: (half.decodeMs * pace) / paces.decode,
      });
    });
    return median(sums) / ms;
  });
  return ratios.some(Number.isNaN) ? undefined : measuredMs * median(ratios);
}

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
  const said = [
    count(
      `keys and values there within ${100 * KV_SHARE} % + ${KV_MS} ms of the formula, at ${SLOW_MBIT} Mbit/s and less`,
      slow,
      ({ kvMs, kvFormulaMs }) => Math.abs(kvMs - kvFormulaMs) <= KV_SHARE * kvFormulaMs + KV_MS,
    ),
    ...e2elVerdicts(
      '',
      cells.map(({ cell, measured, predicted, gain, predictedGain }) => ({
        ...{ cell, measuredMs: measured.e2elMs, ms: predicted.e2elMs, gain, predicted: predictedGain },
      })),
    ),
  ];
  const paced = cells.flatMap(({ cell, measured, atPaceMs, gain, gainAtPace }) =>
    atPaceMs === undefined || gainAtPace === undefined
      ? []
      : [{ cell, measuredMs: measured.e2elMs, ms: atPaceMs, gain, predicted: gainAtPace }],
  );
  return paced.length === 0 ? said : [...said, ...e2elVerdicts(' at the host’s pace', paced)];
}

interface Foretold {
  readonly cell: CellRecord;
  readonly measuredMs: number;
  readonly ms: number;
  readonly gain: Gain;
  readonly predicted: Gain;
}

function e2elVerdicts(how: string, cells: readonly Foretold[]): Verdict[] {
  const sides = cells.flatMap(({ cell, gain, predicted }) => [
    { gain: gain.overDecode, predicted: predicted.overDecode },
    // Two engines of one adapter are compared with one thing alone.
    ...(cell.prefill === cell.decode ? [] : [{ gain: gain.overPrefill, predicted: predicted.overPrefill }]),
  ]);
  return [
    count(
      `E2E predicted within ${100 * E2E_SHARE} %${how}`,
      cells,
      ({ measuredMs, ms }) => Math.abs(ms / measuredMs - 1) <= E2E_SHARE,
    ),
    count(
      `gain or loss predicted where it exceeds ${100 * SURE} %${how}`,
      sides.filter(({ gain }) => Math.abs(gain - 1) > SURE),
      ({ gain, predicted }) => gain > 1 === predicted > 1,
    ),
  ];
}
