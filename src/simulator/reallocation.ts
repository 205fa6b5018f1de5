import type { Pool } from './cluster.js';
import { ForecastErrors, loadPredictor, type LoadPredictor, type LoadPredictorName } from './load-predictors.js';
import type { Place } from './place.js';
import type { SimulatedRequest } from './request.js';

/** Machines that change their phase as the load does. */
export interface Reallocation {
  /** Seconds between two looks. */
  readonly every: number;
  readonly predictor: LoadPredictorName;
  /** A machine finishes what it has before it changes; else it takes new work of the other phase at once. */
  readonly drain: boolean;
}

export interface ReallocationReport {
  /** Times that a machine was moved from one phase to the other. */
  readonly moves: number;
  /** Mean absolute error of forecasts, as a share, of prompt tokens and of tokens of answers that come in a period. */
  readonly promptError: number | undefined;
  readonly outputError: number | undefined;
  /** Machines in each phase after each look. */
  readonly timeline: readonly { readonly at: number; readonly prefill: number; readonly decode: number }[];
}

/** What a machine of a pool can do in either phase. Tokens a second. */
interface Capacity {
  readonly prefill: number;
  readonly decode: number;
}

/** An improvement of the busier phase that is worth a move. */
const WORTH = 0.9;

/** Counts what comes, forecasts what will, and says how many machines should do which phase. */
export class Reallocator {
  readonly #plan: Reallocation;
  readonly errors = { prompts: new ForecastErrors(), outputs: new ForecastErrors() };
  readonly #prompts: LoadPredictor;
  readonly #outputs: LoadPredictor;
  readonly #capacities = new Map<Pool, Capacity>();
  #promptTokens = 0;
  #outputTokens = 0;
  /** Of requests that have ended: what answers are long is known of them alone. */
  readonly #ended = { requests: 0, promptTokens: 0, outputTokens: 0 };
  #arrived = 0;

  constructor(plan: Reallocation) {
    this.#plan = plan;
    [this.#prompts, this.#outputs] = [loadPredictor(plan.predictor), loadPredictor(plan.predictor)];
  }

  arrived({ promptTokens, outputTokens }: SimulatedRequest): void {
    this.#arrived++;
    this.#promptTokens += promptTokens;
    this.#outputTokens += outputTokens;
  }

  ended({ promptTokens, outputTokens }: SimulatedRequest): void {
    this.#ended.requests++;
    this.#ended.promptTokens += promptTokens;
    this.#ended.outputTokens += outputTokens;
  }

  /**
   * Ends a period.
   *
   * @param places machines that may change, with the phase each is in or on its way to
   * @returns how many of them should do prompts; undefined where it is well as it is, or nothing is known yet
   */
  wanted(places: readonly { readonly place: Place; readonly prefill: boolean }[]): number | undefined {
    const { requests, outputTokens } = this.#ended;
    // Lengths of answers are known once they have ended; how many requests came is known at once.
    const seen = requests === 0 ? undefined : (this.#arrived * outputTokens) / requests;
    this.errors.prompts.note(this.#prompts.next, this.#promptTokens);
    this.errors.outputs.note(this.#outputs.next, this.#outputTokens);
    this.#prompts.observe(this.#promptTokens);
    if (seen !== undefined) this.#outputs.observe(seen);
    this.#promptTokens = this.#outputTokens = this.#arrived = 0;
    const [prompts, outputs] = [this.#prompts.next, this.#outputs.next];
    if (prompts === undefined || outputs === undefined || places.length < 2) return undefined;
    // Those best at prompts, compared with decoding, first.
    const order = places
      .map(({ place, prefill }) => ({ prefill, capacity: this.#capacityOf(place.pool) }))
      .sort((a, b) => b.capacity.prefill / b.capacity.decode - a.capacity.prefill / a.capacity.decode);
    const load = (count: number): number => {
      let [ofPrompts, ofOutputs] = [0, 0];
      order.forEach(({ capacity }, at) => {
        if (at < count) ofPrompts += capacity.prefill;
        else ofOutputs += capacity.decode;
      });
      return Math.max(prompts / ofPrompts, outputs / ofOutputs) / this.#plan.every;
    };
    const now = places.filter(({ prefill }) => prefill).length;
    let best = now;
    for (let count = 1; count < order.length; count++) if (load(count) < load(best)) best = count;
    return best === now || load(best) > WORTH * load(now) ? undefined : best;
  }

  /** How much better a machine is at prompts than at decoding, for which of two should move. */
  leaning(place: Place): number {
    const { prefill, decode } = this.#capacityOf(place.pool);
    return prefill / decode;
  }

  /** Of a machine that has nothing else to do, at the mean lengths of requests so far. */
  #capacityOf(pool: Pool): Capacity {
    let known = this.#capacities.get(pool);
    if (known !== undefined) return known;
    const { requests, promptTokens, outputTokens } = this.#ended;
    const [prompt, answer] = requests === 0 ? [1000, 100] : [promptTokens / requests, outputTokens / requests];
    const { price, stepTokens, blocks, blockTokens, maxSequences } = pool;
    const tokens = Math.min(stepTokens, Math.max(1, Math.round(prompt)));
    const rows = Math.max(1, Math.min(maxSequences, Math.floor((0.8 * blocks * blockTokens) / (prompt + answer))));
    const priced = (load: Parameters<typeof price.seconds>[0]): number => price.expected?.(load) ?? price.seconds(load);
    known = {
      prefill: tokens / priced({ decodeRows: 0, decodeKeys: 0, prompts: [{ begin: 0, end: tokens }], logitRows: 1 }),
      decode:
        rows /
        priced({ decodeRows: rows, decodeKeys: rows * Math.round(prompt + answer / 2), prompts: [], logitRows: rows }),
    };
    if (requests > 100) this.#capacities.set(pool, known);
    return known;
  }
}
