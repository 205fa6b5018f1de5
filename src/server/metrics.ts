import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { EngineStats, GenerationResult, TextEngine } from '../engine/api.js';
import type { Counters, RequestObserver } from '../serving/observer.js';
import { finishReason } from '../serving/mapping/finish.js';

/** 1, 2.5 and 5 of every decade, in seconds. */
function decades(from: number, to: number): number[] {
  const buckets: number[] = [];
  for (let power = from; power < to; power++) for (const step of [1, 2.5, 5]) buckets.push(step * 10 ** power);
  return [...buckets, 10 ** to];
}

/**
 * What `/metrics` shows, under the names vLLM has for the same things, with our prefix. Times are taken when tokens
 * leave the engine, so a slow reader does not show in them.
 */
export class Metrics implements Counters {
  readonly registry = new Registry();
  readonly #ttft = this.#histogram('time_to_first_token_seconds', 'From the request to its first token', -3, 3);
  readonly #itl = this.#histogram('inter_token_latency_seconds', 'Between two tokens of a choice', -3, 2);
  readonly #e2e = this.#histogram(
    'e2e_request_latency_seconds',
    'From the request to the last token of a choice',
    -2,
    4,
  );
  readonly #promptTokens = this.#counter('prompt_tokens_total', 'Prompt tokens of ended choices');
  /** Tokens since the counter was last told of them, which is when somebody looks: there are many. */
  #generated = 0;
  readonly #embeddingRequests = this.#counter('embedding_requests_total', 'Requests for embeddings that were computed');
  readonly #embeddingTokens = this.#counter('embedding_tokens_total', 'Tokens of the texts they gave');
  readonly #ended = new Counter({
    name: 'ridgepoint_request_success_total',
    help: 'Choices ended, by reason',
    labelNames: ['finished_reason'],
    registers: [this.registry],
  });
  readonly #responses = new Counter({
    name: 'ridgepoint_http_responses_total',
    help: 'HTTP responses, by route and by what became of them; 499 where the client left first or took nothing',
    labelNames: ['route', 'status'],
    registers: [this.registry],
  });

  /** @param inUse places of the queue that are taken: choices generated or delivered */
  constructor(engine: TextEngine, inUse: () => number, model: string) {
    this.registry.setDefaultLabels({ model_name: model });
    this.#gauge('num_choices_in_flight', 'Choices that run, wait, or are still being read by their client', inUse);
    this.#addStats(() => engine.stats());
    this.#counter('generation_tokens_total', 'Tokens generated', (counter) => {
      counter.inc(this.#generated);
      this.#generated = 0;
    });
  }

  /** Adds what prom-client knows of the process: CPU, memory, event loop, garbage collection. */
  addProcess(): void {
    collectDefaultMetrics({ register: this.registry });
  }

  /** @param startedAt milliseconds of `performance.now()` */
  request(startedAt: number): RequestObserver {
    const last = new Map<number, number>();
    const results: GenerationResult[] = [];
    let running = 0;
    const waiting: (() => void)[] = [];
    const over = (): void => {
      if (--running === 0) for (const resolve of waiting.splice(0)) resolve();
    };
    return {
      results,
      started: () => void running++,
      settled: () => (running === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
      tokens: (choice, count) => {
        if (count === 0) return;
        const now = performance.now();
        const before = last.get(choice);
        if (before === undefined) this.#ttft.observe((now - startedAt) / 1000);
        else this.#itl.observe((now - before) / 1000);
        last.set(choice, now);
        this.#generated += count;
      },
      ended: (result) => {
        results.push(result);
        this.#promptTokens.inc(result.promptIds.length);
        const reason = result.finishReason === 'abort' ? 'abort' : finishReason(result.finishReason);
        this.#ended.inc({ finished_reason: reason });
        if (reason !== 'abort') this.#e2e.observe((performance.now() - startedAt) / 1000);
        over();
      },
      failed: () => {
        this.#ended.inc({ finished_reason: 'error' });
        over();
      },
    };
  }

  /** @param tokens of each input */
  embedded(tokens: readonly number[]): void {
    this.#embeddingRequests.inc();
    this.#embeddingTokens.inc(tokens.reduce((sum, each) => sum + each, 0));
  }

  response(route: string, status: number): void {
    this.#responses.inc({ route, status });
  }

  #addStats(stats: () => EngineStats): void {
    this.#gauge('num_requests_running', 'Choices that take part in steps', () => stats().running);
    this.#gauge('num_requests_waiting', 'Choices that wait for a place or for memory', () => stats().waiting);
    this.#gauge('kv_cache_usage_perc', 'Part of the KV cache in use; 1 is all of it', () => {
      const { kvBlocks, kvBlocksFree } = stats();
      return kvBlocks === 0 ? 0 : 1 - kvBlocksFree / kvBlocks;
    });
    const counters: [string, string, (stats: EngineStats) => number][] = [
      ['num_preemptions_total', 'Times a choice lost its cache blocks to another', (of) => of.preemptions],
      ['prefix_cache_queries_total', 'Prompt tokens looked up in the prefix cache', (of) => of.prefixQueriedTokens],
      ['prefix_cache_hits_total', 'Prompt tokens found in the prefix cache', (of) => of.prefixHitTokens],
      ['spec_decode_num_draft_tokens_total', 'Tokens guessed ahead', (of) => of.speculatedTokens],
      ['spec_decode_num_accepted_tokens_total', 'Tokens guessed ahead that were right', (of) => of.acceptedTokens],
      ['engine_steps_total', 'Forward passes', (of) => of.steps],
    ];
    for (const [name, help, read] of counters) {
      this.#counter(name, help, (counter) => {
        counter.reset();
        counter.inc(read(stats()));
      });
    }
  }

  #histogram(name: string, help: string, from: number, to: number): Histogram {
    const buckets = decades(from, to);
    return new Histogram({ name: `ridgepoint_${name}`, help, buckets, registers: [this.registry] });
  }

  #counter(name: string, help: string, collect?: (counter: Counter) => void): Counter {
    const counter: Counter = new Counter({
      name: `ridgepoint_${name}`,
      help,
      registers: [this.registry],
      ...(collect === undefined ? {} : { collect: () => collect(counter) }),
    });
    return counter;
  }

  #gauge(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({
      name: `ridgepoint_${name}`,
      help,
      registers: [this.registry],
      collect: () => gauge.set(read()),
    });
  }
}
