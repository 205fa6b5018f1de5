import type { Calibration } from '../../src/roofline/hardware/calibration.js';
import { fromCalibration } from '../../src/roofline/hardware/hardware.js';
import { pacingBy, type Pacing } from '../compare/pacing.js';
import type { ReferencePace } from '../compare/statistic.js';
import { middlePace, type PaceRecord } from '../pace/record.js';
import { kernelEfficiencies } from './efficiencies.js';
import type { EngineRuns } from './engine-runs.js';
import { FELT_AT_FIRST, paceFelt } from './pace-felt.js';
import { predictorOf, stepCosts } from './step-costs.js';

/** What is fitted to an engine's runs, and the pace that it is for. */
export interface Fitted extends Pick<Calibration, 'efficiencies' | 'steps'> {
  readonly broughtTo?: ReferencePace;
}

/** Fits after the first, each of which knows better than the one before what of a duration is work. */
const REFINEMENTS = 2;

/**
 * Fits efficiencies and what steps cost beside their operations to an engine's runs.
 *
 * Where each run has its pace, all are brought to one. How far that has to bring them depends on how much of them is work,
 * which only the fit can tell: so a first one takes all of it for work, and the next ones what the fit before them says.
 *
 * @param taken samples of the pace
 * @param stamped whether operations were timed by themselves
 */
export function fitRuns(
  runs: readonly EngineRuns[],
  machine: Calibration,
  taken: PaceRecord | undefined,
  stamped: boolean,
): Fitted {
  const paced = runs.every(({ records }) => records.every(({ paces_ms }) => paces_ms !== undefined));
  const ms = paced ? taken && middlePace(taken) : undefined;
  if (ms === undefined) return fitOnce(runs, machine, stamped);
  let broughtTo: ReferencePace = { ms, felt: FELT_AT_FIRST };
  const allWork = { reference: broughtTo, workOf: () => 1 };
  let fitted = fitOnce(runs, machine, stamped, { broughtTo, pacingOf: () => allWork });
  for (let time = 0; time < REFINEMENTS; time++) {
    const before = fromCalibration({ ...machine, ...fitted });
    const workOf = new Map(
      runs.map((run) => [run, pacingBy(broughtTo, before, (on) => predictorOf(run, on)).workOf] as const),
    );
    const repetitions = runs.flatMap((run) =>
      run.records.map((record, at) => ({ record, turns: run.turns[at], work: workOf.get(run)!(record) })),
    );
    const reference = { ms, felt: paceFelt(repetitions) };
    broughtTo = reference;
    const pacingOf = (run: EngineRuns): Pacing => ({ reference, workOf: workOf.get(run)! });
    fitted = fitOnce(runs, machine, stamped, { broughtTo, pacingOf, before });
  }
  return { ...fitted, broughtTo };
}

/** What runs are brought to one pace by. */
interface Pacings {
  readonly broughtTo: ReferencePace;
  readonly pacingOf: (run: EngineRuns) => Pacing;
  /** The machine by an earlier fit to the same runs. */
  readonly before?: ReturnType<typeof fromCalibration>;
}

function fitOnce(runs: readonly EngineRuns[], machine: Calibration, stamped: boolean, pacings?: Pacings): Fitted {
  const efficiencies = stamped ? kernelEfficiencies(runs, machine, pacings?.broughtTo, pacings?.before) : {};
  return { efficiencies, steps: stepCosts(runs, { ...machine, efficiencies }, pacings?.pacingOf) };
}
