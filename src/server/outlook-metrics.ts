import { Gauge, Histogram, type Registry } from 'prom-client';
import type { OutlookCounters } from '../serving/observer.js';
import type { RequestRecord } from '../outlook/journal.js';

/** 1, 2.5 and 5 of every decade from 1 ms to 1000 s. */
const SECONDS = [-3, -2, -1, 0, 1, 2].flatMap((power) => [1, 2.5, 5].map((step) => step * 10 ** power));
/** 1, 2 and 5 of every decade. */
const TOKENS = [0, 1, 2, 3, 4].flatMap((power) => [1, 2, 5].map((step) => step * 10 ** power));
/** Measured over predicted. */
const RATIOS = [0.5, 0.7, 0.8, 0.9, 0.95, 1, 1.05, 1.1, 1.2, 1.5, 2, 3, 5, 10];

/** What was expected of requests and steps, and what they took; the stages of requests under vLLM's names. */
export class OutlookMetrics implements OutlookCounters {
  readonly #predictedTtft;
  readonly #predictedItl;
  readonly #ttftRatio;
  readonly #itlRatio;
  readonly #stepRatio;
  readonly #queue;
  readonly #prefill;
  readonly #decode;
  readonly #promptTokens;
  readonly #generationTokens;
  readonly #mostTokens;

  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
    const of = (name: string, help: string, buckets: number[]): Histogram =>
      new Histogram({ name: `ridgepoint_${name}`, help, buckets, registers: [registry] });
    this.#predictedTtft = of('predicted_time_to_first_token_seconds', 'Expected when the request came', SECONDS);
    this.#predictedItl = of('predicted_inter_token_latency_seconds', 'Expected mean gap of a choice', SECONDS);
    this.#ttftRatio = of('time_to_first_token_residual_ratio', 'Measured over predicted time to first token', RATIOS);
    this.#itlRatio = of('inter_token_latency_residual_ratio', 'Measured over predicted mean gap of a choice', RATIOS);
    this.#stepRatio = of('step_residual_ratio', 'Measured over predicted time of a step', RATIOS);
    this.#queue = of('request_queue_time_seconds', 'From the request to its first step', SECONDS);
    this.#prefill = of('request_prefill_time_seconds', 'From its first step to its first token', SECONDS);
    this.#decode = of('request_decode_time_seconds', 'From its first token to its last', SECONDS);
    this.#promptTokens = of('request_prompt_tokens', 'Prompt tokens of a choice', TOKENS);
    this.#generationTokens = of('request_generation_tokens', 'Tokens generated of a choice', TOKENS);
    this.#mostTokens = of('request_max_num_generation_tokens', 'The same, under the name of vLLM’s dashboard', TOKENS);
  }

  /** @param pace measured over expected time of the last steps */
  showPace(pace: () => number): void {
    const gauge: Gauge = new Gauge({
      name: 'ridgepoint_step_pace',
      help: 'Time of the last steps over what was expected of them; above 1 something else keeps the machine busy',
      registers: [this.#registry],
      collect: () => gauge.set(pace()),
    });
  }

  /** Milliseconds. */
  ttft(expected: number, ms: number): void {
    this.#predictedTtft.observe(expected / 1000);
    if (expected > 0) this.#ttftRatio.observe(ms / expected);
  }

  /** Milliseconds. */
  step(expected: number, ms: number): void {
    this.#stepRatio.observe(ms / expected);
  }

  ended({ sequence, arrivedAt, begunAt, firstAt, lastAt, tokens, expected }: RequestRecord): void {
    if (begunAt === undefined || firstAt === undefined || lastAt === undefined) return;
    this.#queue.observe((begunAt - arrivedAt) / 1000);
    this.#prefill.observe((firstAt - begunAt) / 1000);
    this.#decode.observe((lastAt - firstAt) / 1000);
    this.#promptTokens.observe(sequence.promptLength);
    this.#generationTokens.observe(tokens);
    this.#mostTokens.observe(tokens);
    if (expected?.itlMs === undefined || tokens < 2) return;
    this.#predictedItl.observe(expected.itlMs / 1000);
    this.#itlRatio.observe((lastAt - firstAt) / (tokens - 1) / expected.itlMs);
  }
}
