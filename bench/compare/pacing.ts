import type { Hardware } from '../../src/roofline/hardware/hardware.js';
import { atPace } from '../../src/roofline/hardware/pace.js';
import type { Predictor } from '../../src/roofline/predict/predictor.js';
import type { Measured } from '../measure/end-to-end.js';
import type { BenchRecord } from '../schema.js';
import { expectedOf } from './points.js';
import { stepOf } from './step-of.js';
import type { ReferencePace } from './statistic.js';

/** What measurements are brought to one pace by. */
export interface Pacing {
  readonly reference: ReferencePace;
  /** Which share of a record's time is work, 0 to 1: the rest takes as long whatever the cores are busy with. */
  readonly workOf: (record: Measured<BenchRecord>) => number;
}

/**
 * Tells work from the rest by the predictor's own reckoning: what would take twice as long if the cores computed and read
 * half as fast.
 *
 * @param predictorOn makes the predictor for a machine
 */
export function pacingBy(
  reference: ReferencePace,
  hardware: Hardware,
  predictorOn: (hardware: Hardware) => Predictor,
): Pacing {
  const plain = predictorOn(hardware);
  const halved = predictorOn(atPace(hardware, { compute: 2, memory: 2, launch: 1 }));
  const workOf = (record: Measured<BenchRecord>): number => {
    const [then, now] = [plain, halved].map((predictor) => secondsOf(record, predictor));
    return Math.min(1, Math.max(0, now / then - 1));
  };
  return { reference, workOf };
}

/** What a record's repetitions are predicted to take: of a profile its step without the profiler. */
const secondsOf = (record: Measured<BenchRecord>, predictor: Predictor): number =>
  record.kind === 'operations'
    ? predictor.stepsSeconds([stepOf(record)], 'alone')
    : expectedOf(record, predictor)!.seconds;

/** Of one operation, what is not the launch and, in a profile, the pass around it. Seconds. */
export const workOfOperation = (seconds: number, launchSeconds: number, profiledSeconds: number): number =>
  Math.max(0, seconds - launchSeconds) / (seconds + profiledSeconds);
