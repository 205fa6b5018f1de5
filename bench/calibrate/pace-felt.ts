import type { Measured } from '../measure/end-to-end.js';
import { PACE_PARTS, type PacePart } from '../../src/roofline/hardware/pace.js';
import type { Exponents, PacedPhase, ReferencePace } from '../compare/statistic.js';
import { phaseFelt, samplesOf } from '../compare/felt.js';
import type { BenchRecord } from '../schema.js';

/**
 * What is taken for granted, the middle of what guests of one host did to two drivers (docs/performance.md). It weighs as
 * much as fifty repetitions whose pace is a tenth off that of the others, so that a quiet machine, which teaches nothing,
 * keeps it.
 */
const PRIOR = { exponents: { compute: 0.4, memory: 0.4, launch: 1 }, weight: 0.5 } as const;
const MOST = 1.5;
export const FELT_AT_FIRST = { prompts: PRIOR.exponents, tokens: PRIOR.exponents };

/** Repetitions of points, and when each was measured, counted over all that ran in turn. */
export interface TakenInTurn {
  readonly record: Measured<BenchRecord>;
  readonly turns: readonly number[];
  /** Share of the record's time that is work. */
  readonly work: number;
}

/** A repetition beside the others of its point: logarithms. */
interface Repetition {
  readonly phase: PacedPhase;
  readonly turn: number;
  readonly time: number;
  /** In the order of `PACE_PARTS`, as are the shares of its time that feel each. */
  readonly paces: readonly number[];
  readonly shares: readonly number[];
}

/**
 * How strongly each phase feels what slows each fixed kernel, from repetitions of the same at different paces: the
 * exponents that tell their logarithms best.
 *
 * A pace beside one repetition is off by what changed meanwhile, by which least squares would find exponents too small. So
 * the pace beside the neighbours in time stands for it where it is weighed (an instrumental variable): it has the same
 * state of the machine in it, and errors of its own.
 */
export function paceFelt(taken: readonly TakenInTurn[]): ReferencePace['felt'] {
  const repetitions = taken.flatMap(repetitionsOf).sort((a, b) => a.turn - b.turn);
  const found = { prompts: new Equations(), tokens: new Equations() };
  repetitions.forEach(({ phase, paces, time, shares }, at) => {
    const beside = [repetitions[at - 1], repetitions[at + 1]].filter((each) => each !== undefined);
    if (beside.length === 0) return;
    const instruments = shares.map(
      (share, part) => (share * beside.reduce((sum, each) => sum + each.paces[part], 0)) / beside.length,
    );
    const weighed = shares.map((share, part) => share * paces[part]);
    found[phase].add(instruments, weighed, time);
  });
  return { prompts: found.prompts.exponents(), tokens: found.tokens.exponents() };
}

/** Linear equations for exponents, which what is taken for granted holds where little is known. */
class Equations {
  readonly #left = PACE_PARTS.map((row) => PACE_PARTS.map((column) => (row === column ? PRIOR.weight : 0)));
  readonly #right = PACE_PARTS.map((part) => PRIOR.weight * PRIOR.exponents[part]);

  add(instruments: readonly number[], paces: readonly number[], time: number): void {
    instruments.forEach((instrument, row) => {
      paces.forEach((pace, column) => (this.#left[row][column] += instrument * pace));
      this.#right[row] += instrument * time;
    });
  }

  exponents(): Exponents {
    const found = solved(this.#left, this.#right);
    const known = found.every(Number.isFinite);
    const of = (part: PacePart): number =>
      known ? Math.min(MOST, Math.max(0, found[PACE_PARTS.indexOf(part)])) : PRIOR.exponents[part];
    return { compute: of('compute'), memory: of('memory'), launch: of('launch') };
  }
}

/** Solves linear equations by elimination, the largest pivot first. */
function solved(left: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = left.map((row, at) => [...row, right[at]]);
  const size = rows.length;
  for (let at = 0; at < size; at++) {
    const pivot = rows.reduce(
      (best, row, index) => (index >= at && Math.abs(row[at]) > Math.abs(rows[best][at]) ? index : best),
      at,
    );
    [rows[at], rows[pivot]] = [rows[pivot], rows[at]];
    for (let other = 0; other < size; other++) {
      if (other === at) continue;
      const factor = rows[other][at] / rows[at][at];
      for (let column = at; column <= size; column++) rows[other][column] -= factor * rows[at][column];
    }
  }
  return rows.map((row, at) => row[size] / row[at]);
}

function repetitionsOf({ record, turns, work }: TakenInTurn): Repetition[] {
  const samples = samplesOf(record);
  const { paces_ms } = record;
  if (paces_ms?.compute.length !== samples.length || turns.length !== samples.length || samples.length < 2) return [];
  const time = aboutTheMean(samples);
  const paces = PACE_PARTS.map((part) => aboutTheMean(paces_ms[part]));
  const phase = phaseFelt(record);
  const shares = PACE_PARTS.map((part) => (part === 'launch' ? 1 - work : work));
  return turns.map((turn, at) => ({ phase, turn, time: time[at], paces: paces.map((each) => each[at]), shares }));
}

function aboutTheMean(values: readonly number[]): number[] {
  const logs = values.map(Math.log);
  const mean = logs.reduce((sum, each) => sum + each, 0) / logs.length;
  return logs.map((each) => each - mean);
}
