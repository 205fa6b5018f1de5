import { latestPath, readResult, writeResult } from '../../bench/store.js';
import { hostOf, recordContext } from '../../bench/environment.js';
import { kvTokensFor, plan } from '../../bench/plan.js';
import { measureOn, runBench, withSkipped } from '../../bench/runner.js';
import { jsonSchema, SCHEMA_VERSION, type BenchOptions, type BenchResult } from '../../bench/schema.js';
import { csv } from '../../bench/tables/csv.js';
import { overview } from '../../bench/tables/overview.js';
import type { EngineOptions } from '../engine/api.js';
import { RidgepointError } from '../errors.js';
import type { Engine } from '../index.js';
import { benchOptions, type BenchFlags } from './bench-options.js';
import { BenchProgress } from './bench-progress.js';
import { loadEngine } from './load.js';
import { engineOptions } from './options.js';
import { EXIT, stopSignal } from './run.js';
import { remark } from './style.js';
import { checkWritable } from '../platform/node/whole-file.js';
import { print } from './output.js';

/** What `startEngine` takes by default, written out because the plan needs it. */
const PREFILL_CHUNK = 512;

/**
 * Measures prefill and decode on the real engine, end to end, as llama-bench does, and by operation.
 *
 * @returns the exit code
 * @throws RidgepointError in one sentence
 */
export async function bench(flags: BenchFlags): Promise<number> {
  if (flags.schema) {
    print(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
    return EXIT.ok;
  }
  const earlier = flags.resume === undefined ? undefined : await readResult(flags.resume);
  const options = earlier?.options ?? benchOptions(flags);
  const tell = !(flags.quiet ?? false);
  const target = flags.resume ?? flags.output;
  await checkWritable(target ?? latestPath());
  const load = withRoom(flags, options);
  const engine = await loadEngine(load, tell);
  const begun = await beginning(engine, options, flags);
  if (earlier !== undefined) assertSame(earlier, begun, flags.resume!);

  const { context_length: contextLength, prefill_chunk: chunk } = begun.model;
  const limits = {
    contextLength,
    kvTokens: load.kvCacheTokens,
    sequences: Math.max(...options.batches),
    chunk,
  };
  const { points, skipped } = plan(options, limits);
  const progress = new BenchProgress(tell);
  const save = async (result: BenchResult): Promise<void> => {
    if (target === undefined) return writeResult(latestPath(), result);
    // The latest result is a convenience where it has a file of its own.
    await Promise.all([writeResult(target, result), writeResult(latestPath(), result).catch(() => undefined)]);
  };
  const whole = withSkipped(earlier ?? begun, skipped);
  const result = await runBench(whole, points, measureOn(engine, options.prompt, chunk), {
    signal: stopSignal,
    onProgress: progress.report,
    onRecord: save,
  }).finally(() => progress.end());
  const cached = engine.stats().prefixHitTokens;
  if (cached > 0) throw new Error(`${cached} prompt tokens were not computed but found in the prefix cache`);

  print(printed(result, flags.format ?? 'markdown'));
  const path = target ?? latestPath();
  if (!result.complete && result.records.length === 0) remark('stopped before anything was measured');
  else if (!result.complete) remark(`stopped; what was measured is in ${path}: go on with --resume ${path}`);
  else if (tell) remark(`written to ${path}; "ridgepoint compare" sets it beside the prediction`);
  return EXIT.ok;
}

function printed(result: BenchResult, format: 'markdown' | 'csv' | 'json'): string {
  if (format === 'json') return `${JSON.stringify(result, null, 1)}\n`;
  return format === 'csv' ? csv(result) : overview(result);
}

/** The engine's options with room for every batch at every context. */
function withRoom(flags: BenchFlags, options: BenchOptions): EngineOptions & { kvCacheTokens: number } {
  const longest = Math.max(...options.prompts, ...options.contexts) + options.gen + 1;
  // Not known before the model is: one of fewer positions will skip the longest points.
  const { contextLength } = flags;
  return {
    ...engineOptions(flags),
    contextLength,
    kvCacheTokens: kvTokensFor(options, contextLength ?? Math.max(longest, PREFILL_CHUNK)),
    maxSequences: Math.max(...options.batches),
    // Prompts come again and again, and are to be computed each time.
    prefixCaching: false,
  };
}

async function beginning(engine: Engine, options: BenchOptions, flags: BenchFlags): Promise<BenchResult> {
  const { info, config, timings } = engine;
  const { layers, hidden, intermediate, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings } = config;
  return {
    version: SCHEMA_VERSION,
    complete: false,
    date: new Date().toISOString(),
    options,
    context: await recordContext(info),
    host: hostOf(),
    model: {
      name: info.model,
      config: { layers, hidden, intermediate, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings },
      weights: flags.weights ?? 'checkpoint',
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

/** A run goes on only where it began: numbers of two machines do not belong in one file. */
function assertSame(earlier: BenchResult, now: BenchResult, path: string): void {
  for (const key of ['adapter', 'driver', 'model', 'dtype', 'kv_dtype'] as const) {
    if (earlier.context[key] === now.context[key]) continue;
    throw new RidgepointError(
      'usage',
      `${path}: was measured with ${key} ${JSON.stringify(earlier.context[key])}, this run has ${JSON.stringify(now.context[key])}; resume with the same model and adapter`,
    );
  }
}
