import type { Calibration } from '../../src/roofline/hardware/calibration.js';
import { STEP_KINDS, type StepCosts, type StepKind } from '../../src/roofline/hardware/families.js';
import { fromCalibration, type Hardware } from '../../src/roofline/hardware/hardware.js';
import { familyModel } from '../../src/roofline/models/models.js';
import { Predictor } from '../../src/roofline/predict/predictor.js';
import { minimise } from '../../src/roofline/fit/simplex.js';
import { joinPoints, type Measure } from '../compare/points.js';
import { DEFAULT_STATISTIC } from '../compare/statistic.js';
import type { Pacing } from '../compare/pacing.js';
import type { EngineRuns } from './engine-runs.js';

/** A measured step and what its operations are predicted to take. Seconds. */
export interface StepPoint {
  readonly device: number;
  /** Rows that get a token. */
  readonly rows: number;
  readonly measured: number;
}

const KIND_OF: Record<Measure, StepKind> = { ttft: 'first', tpot: 'next', pp: 'alone', tg: 'alone' };

/**
 * Fits what steps take beside their operations to the steps and requests that were measured, one set of costs for each
 * way in which steps follow one another.
 *
 * @param pacing what durations of an engine's runs are brought to one pace by, where that was timed around each
 */
export function stepCosts(
  runs: readonly EngineRuns[],
  calibration: Calibration,
  pacing?: (runs: EngineRuns) => Pacing,
): Partial<Record<StepKind, StepCosts>> {
  // Without the host's costs a prediction is the sum of operations.
  const machine = fromCalibration({ ...calibration, steps: undefined });
  const bare: Hardware = { ...machine, host: { ...machine.host!, recordSeconds: 0, roundTripSeconds: 0 } };
  const points: Record<StepKind, StepPoint[]> = { first: [], next: [], alone: [] };
  for (const run of runs) {
    const predictor = predictorOf(run, bare);
    for (const each of joinPoints(run.records, predictor, DEFAULT_STATISTIC, pacing?.(run))) {
      const steps = each.measure === 'tg' ? each.gen : 1;
      points[KIND_OF[each.measure]].push({
        device: each.predictedMs / 1000 / steps,
        rows: each.batch,
        measured: (each.atReferenceMs ?? each.measuredMs) / 1000 / steps,
      });
    }
  }
  return Object.fromEntries(
    STEP_KINDS.filter((kind) => points[kind].length > 0).map((kind) => [kind, fitSteps(points[kind])]),
  );
}

/** Predicts what an engine's runs were of. */
export function predictorOf({ engine: { config, info } }: Pick<EngineRuns, 'engine'>, machine: Hardware): Predictor {
  const { dtype: weights, headDtype: head, kvDtype: kv, model } = info;
  return new Predictor(familyModel(model, config), machine, { weights, head, kv });
}

/** How weakly parameters are held where the points say nothing about them. */
const PULL = 2e-3;
/** Steps hardly differ from the sum of their operations: a stretch far from 1 makes up for errors of other fits. */
const STRETCH_PULL = 0.1;

/** Fits stretch x device + seconds + rowSeconds x rows by least mean absolute relative error. */
export function fitSteps(points: readonly StepPoint[]): StepCosts {
  const shortest = Math.min(...points.map(({ measured }) => measured));
  const most = Math.max(...points.map(({ rows }) => rows));
  const costs = ([s, a, r]: readonly number[]): StepCosts => ({
    stretch: Math.exp(s),
    seconds: shortest * Math.exp(a),
    rowSeconds: most > 1 ? shortest * Math.exp(r) : 0,
  });
  const loss = (vector: readonly number[]): number => {
    const { stretch, seconds, rowSeconds } = costs(vector);
    const error = points.reduce(
      (sum, { device, rows, measured }) =>
        sum + Math.abs((stretch * device + seconds + rowSeconds * rows) / measured - 1),
      0,
    );
    const held = 0.01 * (vector[1] + 4) ** 2 + 0.01 * (vector[2] + 5) ** 2;
    return error / points.length + STRETCH_PULL * vector[0] ** 2 + PULL * held;
  };
  const starts = [
    [0, -2, -4],
    [0.2, -4, -3],
    [0, -6, -6],
  ];
  const found = starts.map((start) => minimise(loss, start));
  return costs(found.reduce((best, each) => (each.value < best.value ? each : best)).at);
}
