import type { EngineInfo, EngineOptions } from '../src/engine/api.js';
import type { CoreEngine } from '../src/engine/engine.js';
import { ENGINE_OPTIONS } from '../src/engine/options/engine-options.js';
import { enginesFor } from './engines.js';
import type { PaceLog } from './pace/log.js';
import { kvTokensFor, plan } from './plan.js';
import { measureOn, runBench, withSkipped, type RunEvents } from './runner.js';
import { SCHEMA_VERSION } from './schema-version.js';
import type { BenchOptions, BenchResult } from './schema.js';

/** The program and the machine that a benchmark runs on. */
export interface BenchPlace {
  /** Whether the driver runs shaders on the CPU. */
  runsOnCpu(): Promise<boolean>;
  /** @throws RidgepointError as `Engine.load` */
  load(options: EngineOptions): Promise<CoreEngine>;
  /** What a result says of the place. */
  describe(info: EngineInfo): Promise<Pick<BenchResult, 'context' | 'host' | 'ceilings'>>;
  /** Watches the host's pace. */
  openPace(): Promise<PaceLog>;
}

/** What is to be measured. */
export interface BenchWish {
  readonly options: BenchOptions;
  /** Model, formats and sizes of the engine. */
  readonly engine: EngineOptions;
}

export interface SessionEvents extends Pick<RunEvents, 'signal' | 'onProgress' | 'onRecord'> {
  /** Given what a run begins with, says what it goes on from; throws where the two do not belong together. */
  readonly resume?: (begun: BenchResult) => BenchResult;
  /** After the points of each engine. */
  readonly onShareDone?: () => void;
}

/** A plan's limits where nothing is too large. */
const ANY = { contextLength: Infinity, kvTokens: Infinity, sequences: Infinity };

/**
 * Loads engines and measures a plan on them.
 *
 * @returns the result, complete unless the signal stopped it
 * @throws RidgepointError in one sentence
 */
export async function runSession(
  place: BenchPlace,
  { options, engine: wanted }: BenchWish,
  { signal, onProgress, onRecord, resume = (begun) => begun, onShareDone }: SessionEvents,
): Promise<BenchResult> {
  const isCpu = await place.runsOnCpu();
  // What engines there are does not depend on which points fit.
  const [first] = enginesFor(plan(options, ANY).points, options.batches, isCpu);
  let engine = await place.load(withRoom(wanted, options, first.sequences));
  const begun = resume(await beginning(engine, options, { place, weights: wanted.weights ?? 'checkpoint' }));
  const { context_length: contextLength, prefill_chunk: chunk } = begun.model;
  const sequences = Math.max(...options.batches);
  const limits = { contextLength, kvTokens: withRoom(wanted, options, sequences).kvCacheTokens, sequences, chunk };
  const { points, skipped } = plan(options, limits);
  let result = withSkipped(begun, skipped);
  const shares = enginesFor(points, options.batches, isCpu);
  let left = points.length;
  const pace = await place.openPace();
  const began = performance.now();
  for (const [i, share] of shares.entries()) {
    if (share.sequences !== first.sequences) {
      await engine.dispose();
      engine = await place.load(withRoom(wanted, options, share.sequences));
      const further = { sequences: share.sequences, load_ms: { ...engine.timings }, kernels: engine.kernels() };
      result = { ...result, further_engines: [further] };
    }
    const remaining = options.budget_s && Math.max(0, options.budget_s - (performance.now() - began) / 1000);
    const part = {
      order: points,
      more: i + 1 < shares.length,
      budget: remaining && (remaining * share.points.length) / left,
    };
    left -= share.points.length;
    const measure = measureOn(engine, options.prompt, chunk);
    const events = { signal, onProgress, onRecord, pace };
    result = await runBench(result, share.points, measure, events, part).finally(onShareDone);
    const cached = engine.stats().prefixHitTokens;
    if (cached > 0) throw new Error(`${cached} prompt tokens were not computed but found in the prefix cache`);
    if (signal?.aborted) break;
  }
  // What was measured is there, however the driver takes leave.
  await Promise.allSettled([pace.close(), engine.dispose()]);
  return result;
}

/** The engine's options with room for every batch, up to so many sequences, at every context. */
function withRoom(
  engine: EngineOptions,
  all: BenchOptions,
  sequences: number,
): EngineOptions & { readonly kvCacheTokens: number } {
  const options = { ...all, batches: all.batches.filter((batch) => batch <= sequences) };
  const longest = Math.max(...options.prompts, ...options.contexts) + options.gen + 1;
  // Not known before the model is: one of fewer positions will skip the longest points.
  const { contextLength } = engine;
  return {
    ...engine,
    contextLength,
    kvCacheTokens: kvTokensFor(options, contextLength ?? Math.max(longest, ENGINE_OPTIONS.prefillChunk.default)),
    maxSequences: sequences,
    // Prompts come again and again, and are to be computed each time.
    prefixCaching: false,
  };
}

async function beginning(
  engine: CoreEngine,
  options: BenchOptions,
  { place, weights }: { place: BenchPlace; weights: BenchResult['model']['weights'] },
): Promise<BenchResult> {
  const { info, config, timings } = engine;
  const { layers, hidden, intermediate, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings } = config;
  const { family, window, windowed } = config;
  return {
    version: SCHEMA_VERSION,
    complete: false,
    date: new Date().toISOString(),
    options,
    ...(await place.describe(info)),
    model: {
      name: info.model,
      config: {
        ...{ layers, hidden, intermediate, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings },
        // A result without them is of a Llama.
        ...(family === 'llama' ? {} : { family, window, windowed }),
      },
      weights,
      parameters: info.parameters,
      weight_bytes: info.weightBytes,
      kv_cache_bytes: info.kvCacheBytes,
      context_length: info.contextLength,
      prefill_chunk: info.prefillChunk,
      kernels: engine.kernels(),
    },
    load_ms: { ...timings },
    records: [],
    skipped: [],
  };
}
