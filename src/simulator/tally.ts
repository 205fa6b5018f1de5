import type { ServeMetrics } from '../traffic/metrics.js';
import { MeasureSamples } from '../traffic/measure-samples.js';
import { LoadTally } from '../traffic/tally.js';
import type { Simulation } from './outcome.js';
import type { RequestTrace } from './request.js';
import { arrivalsOf, toldOf } from './summary.js';

/** Gaps that are kept one by one: 32 MB. Of more, percentiles are read off bins 0.003 % wide. */
const KEPT_GAPS = 2 ** 22;

/**
 * Sums up a run while it goes, so that times of single tokens need not outlive their request. What it comes to is what
 * `metricsOf` of the whole record says, but for the gaps where there are more than are kept.
 */
export class SimulationTally {
  readonly #gaps: MeasureSamples;
  readonly #tally: LoadTally;

  readonly #from: number;

  /** @param from requests that come earlier do not count, in seconds @param keptGaps how many are kept one by one */
  constructor(from = 0, keptGaps = KEPT_GAPS) {
    this.#from = from;
    this.#gaps = new MeasureSamples(keptGaps);
    this.#tally = new LoadTally({ gaps: this.#gaps });
  }

  /** For `onEnd` of the simulation. */
  readonly onEnd = (trace: RequestTrace): void => {
    if (trace.request.arrival >= this.#from) this.#tally.tokens(toldOf(trace), arrivalsOf(trace));
  };

  /** Whether percentiles of gaps are exact. */
  get exact(): boolean {
    return this.#gaps.exact;
  }

  /** Once, of what counts of the run that `onEnd` was given to. */
  metrics({ traces, duration }: Pick<Simulation, 'traces' | 'duration'>, percentiles: readonly number[]): ServeMetrics {
    for (const trace of traces) {
      this.#tally.request({ ...toldOf(trace), ttft: 1000 * trace.ttft, e2el: 1000 * trace.e2e });
      // A run that was stopped has requests that never ended.
      if (trace.status === 'waiting') this.onEnd(trace);
    }
    this.#tally.endRun({ planned: traces.length, durationMs: 1000 * duration });
    return this.#tally.metrics(percentiles);
  }
}
