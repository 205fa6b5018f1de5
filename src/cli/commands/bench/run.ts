import { latestPath, readResult, writeResult } from '../../../../bench/store.js';
import { hostOf, recordContext } from '../../../../bench/environment.js';
import { enginesFor, type EngineShare } from '../../../../bench/engines.js';
import { PaceLog } from '../../../../bench/pace.js';
import { kvTokensFor, plan } from '../../../../bench/plan.js';
import { measureOn, runBench, withSkipped } from '../../../../bench/runner.js';
import { jsonSchema, SCHEMA_VERSION, type BenchOptions, type BenchResult } from '../../../../bench/schema.js';
import { csv } from '../../../../bench/tables/csv.js';
import { overview } from '../../../../bench/tables/overview.js';
import type { EngineOptions } from '../../../engine/api.js';
import { ENGINE_OPTIONS } from '../../../engine/options/engine-options.js';
import { RidgepointError } from '../../../errors.js';
import { readCapabilities } from '../../../gpu/capabilities.js';
import type { Engine } from '../../../index.js';
import { benchOptions, type BenchFlags } from './command.js';
import { RunProgress } from '../../terminal/progress.js';
import { loadEngine } from '../../load.js';
import { engineOptions } from '../../options/common.js';
import { EXIT, stopSignal } from '../../run.js';
import { remark } from '../../terminal/style.js';
import { nodeHost } from '../../../platform/node/host.js';
import { checkWritable } from '../../../platform/node/whole-file.js';
import { print } from '../../terminal/output.js';

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
  const isCpu = await runsOnCpu(flags.adapter);
  // What engines there are does not depend on which points fit.
  const [first] = enginesFor(plan(options, ANY).points, options.batches, isCpu);
  let engine = await loadEngine(withRoom(flags, options, first.sequences), tell);
  const begun = await beginning(engine, options, flags);
  if (earlier !== undefined) assertSame(earlier, begun, flags.resume!);

  const { context_length: contextLength, prefill_chunk: chunk } = begun.model;
  const sequences = Math.max(...options.batches);
  const limits = { contextLength, kvTokens: withRoom(flags, options, sequences).kvCacheTokens, sequences, chunk };
  const { points, skipped } = plan(options, limits);
  const progress = new RunProgress(tell);
  const save = async (result: BenchResult): Promise<void> => {
    if (target === undefined) return writeResult(latestPath(), result);
    // The latest result is a convenience where it has a file of its own.
    await Promise.all([writeResult(target, result), writeResult(latestPath(), result).catch(() => undefined)]);
  };
  let result = withSkipped(earlier ?? begun, skipped);
  const shares = enginesFor(points, options.batches, isCpu);
  const began = performance.now();
  let left = points.length;
  const pace = await PaceLog.open(nodeHost, flags.adapter);
  for (const [i, share] of shares.entries()) {
    if (share.sequences !== first.sequences) {
      await engine.dispose();
      engine = await loadEngine(withRoom(flags, options, share.sequences), tell);
      result = { ...result, further_engines: [furtherEngine(engine, share)] };
    }
    const remaining = options.budget_s && Math.max(0, options.budget_s - (performance.now() - began) / 1000);
    const part = {
      order: points,
      more: i + 1 < shares.length,
      budget: remaining && (remaining * share.points.length) / left,
    };
    left -= share.points.length;
    const events = { signal: stopSignal, onProgress: progress.report, onRecord: save, pace };
    const measure = measureOn(engine, options.prompt, chunk);
    result = await runBench(result, share.points, measure, events, part).finally(() => progress.end());
    const cached = engine.stats().prefixHitTokens;
    if (cached > 0) throw new Error(`${cached} prompt tokens were not computed but found in the prefix cache`);
    if (stopSignal.aborted) break;
  }
  await pace.close();

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

/** A plan's limits where nothing is too large. */
const ANY = { contextLength: Infinity, kvTokens: Infinity, sequences: Infinity };

/** Whether the driver runs shaders on the CPU, by what engines go by. */
async function runsOnCpu(name: string | undefined): Promise<boolean> {
  const { adapter, languageFeatures } = await nodeHost.openGpu(name);
  return readCapabilities(adapter, languageFeatures).isCpu;
}

/** An engine that is not the first, as a result tells of it. */
function furtherEngine(
  engine: Engine,
  { sequences }: EngineShare,
): NonNullable<BenchResult['further_engines']>[number] {
  return { sequences, load_ms: { ...engine.timings }, kernels: engine.kernels() };
}

/** The engine's options with room for every batch, up to so many sequences, at every context. */
function withRoom(flags: BenchFlags, all: BenchOptions, sequences: number): EngineOptions & { kvCacheTokens: number } {
  const options = { ...all, batches: all.batches.filter((batch) => batch <= sequences) };
  const longest = Math.max(...options.prompts, ...options.contexts) + options.gen + 1;
  // Not known before the model is: one of fewer positions will skip the longest points.
  const { contextLength } = flags;
  return {
    ...engineOptions(flags),
    contextLength,
    kvCacheTokens: kvTokensFor(options, contextLength ?? Math.max(longest, ENGINE_OPTIONS.prefillChunk.default)),
    maxSequences: sequences,
    // Prompts come again and again, and are to be computed each time.
    prefixCaching: false,
  };
}

async function beginning(engine: Engine, options: BenchOptions, flags: BenchFlags): Promise<BenchResult> {
  const { info, config, timings } = engine;
  const { layers, hidden, intermediate, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings } = config;
  const { family, window, windowed } = config;
  return {
    version: SCHEMA_VERSION,
    complete: false,
    date: new Date().toISOString(),
    options,
    context: await recordContext(info),
    host: hostOf(),
    model: {
      name: info.model,
      config: {
        ...{ layers, hidden, intermediate, heads, kvHeads, headDim, vocab, maxPositions, tiedEmbeddings },
        // A result without them is of a Llama.
        ...(family === 'llama' ? {} : { family, window, windowed }),
      },
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
