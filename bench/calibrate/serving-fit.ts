import { phaseOf } from '../../src/model/operations.js';
import {
  SERVING_KINDS,
  SPREAD_SHARES,
  type Serving,
  type ServingKind,
  type StepCosts,
} from '../../src/roofline/hardware/families.js';
import type { Hardware } from '../../src/roofline/hardware/hardware.js';
import { costed, type Predictor } from '../../src/roofline/predict/predictor.js';
import { quantile } from '../../src/statistics.js';
import { shapeOfStep, type RecordedSteps } from '../serve/step-log.js';
import { fitSteps, type StepPoint } from './step-costs.js';

/** Fewer steps of a kind say too little about its costs. */
const LEAST = 12;
/** Of operations; below it the host's share was overestimated. */
const LEAST_STRETCH = 0.1;

/** Steps that were recorded on one model, with what prices their operations. */
export interface ServedSteps {
  readonly predictor: Predictor;
  readonly steps: readonly RecordedSteps[];
}

/** What was fitted, and to how many steps of each kind. */
export interface ServingFit {
  readonly serving: Serving;
  readonly counts: Partial<Record<ServingKind, number>>;
}

/** The machine without what its host was measured to add to steps: what it takes is the sum of operations. */
export const withoutHost = (machine: Hardware): Hardware => ({
  ...machine,
  host: {
    ...machine.host!,
    recordSeconds: 0,
    roundTripSeconds: 0,
    steps: undefined,
    serving: undefined,
  },
});

/**
 * Fits what steps take while requests come and go, those of decoding sequences alone and those with prompts each for
 * themselves, and how they scatter about it. A kind of which there are too few steps is left out.
 *
 * @param served predictors are of a machine `withoutHost`
 */
export function fitServing(served: readonly ServedSteps[]): ServingFit {
  const points: Record<ServingKind, StepPoint[]> = { decode: [], prompts: [] };
  for (const { predictor, steps: runs } of served) {
    for (const steps of runs) {
      steps.ms.forEach((ms, at) => {
        const shape = shapeOfStep(steps, at);
        if (shape.sequences.length === 0 || ms <= 0) return;
        points[phaseOf(shape) === 'decode' ? 'decode' : 'prompts'].push({
          device: predictor.deviceSeconds(shape),
          rows: shape.logitRows,
          measured: ms / 1000,
        });
      });
    }
  }
  const kinds = SERVING_KINDS.filter((kind) => points[kind].length >= LEAST);
  const decode = kinds.includes('decode') ? fitSteps(points.decode) : undefined;
  const costsOf = (kind: ServingKind): StepCosts =>
    kind === 'decode' ? decode! : decode === undefined ? fitSteps(points.prompts) : stretched(points.prompts, decode);
  return {
    serving: Object.fromEntries(
      kinds.map((kind) => {
        const costs = costsOf(kind);
        const ratios = points[kind]
          .map(({ device, rows, measured }) => measured / costed(costs, device, rows))
          .sort((a, b) => a - b);
        return [kind, { ...costs, spread: SPREAD_SHARES.map((share) => quantile(ratios, share)) }];
      }),
    ),
    counts: Object.fromEntries(kinds.map((kind) => [kind, points[kind].length])),
  };
}

/**
 * Costs of steps with prompts: what the host adds is that of steps without, and the stretch of the operations is the
 * median one. A constant of their own would be fitted to prompts of the lengths there were, and be far off for others:
 * a policy that takes prompts whole says nothing about small chunks.
 */
function stretched(points: readonly StepPoint[], { seconds, rowSeconds }: StepCosts): StepCosts {
  const stretches = points
    .map(({ device, rows, measured }) => (measured - seconds - rowSeconds * rows) / device)
    .sort((a, b) => a - b);
  return { stretch: Math.max(LEAST_STRETCH, quantile(stretches, 0.5)), seconds, rowSeconds };
}
